"""The part of a configuration that describes an odour signal: one of four forms."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import Field, model_validator

from plumenav.config.sections import NotNegative, Number, Positive, Section


class Form(NamedTuple):
    """One way to give a signal: the keys that it needs, and those that it may have."""

    needed: frozenset[str]
    allowed: frozenset[str] = frozenset()


FORMS = {
    "pulse": Form(frozenset({"start_s", "stop_s", "duration_s"})),
    "train": Form(frozenset({"onsets_s", "duration_s"}), frozenset({"offsets_s", "width_s"})),
    "series": Form(frozenset({"file", "time_column", "odor_column"}), frozenset({"duration_s"})),
    "encounters": Form(frozenset({"file", "onsets_column", "offsets_column", "duration_s"})),
}
# keys with a default, and the forms to which they mean something
FORMS_OF = {
    "level": ("pulse", "train", "encounters"),
    "frame_rate_hz": ("pulse", "train", "encounters"),
}


class Signal(Section):
    """Odour in time that every agent smells wherever it is (open loop), in one of four forms.

    A pulse (start_s, stop_s); a train of pulses (onsets_s, and offsets_s or width_s); a file with a
    time series (time_column, odor_column); a file with encounters (onsets_column, offsets_column).
    """

    start_s: NotNegative | None = Field(
        None, description="pulse: onset, s; the sample at the onset is inside"
    )
    stop_s: Positive | None = Field(
        None, description="pulse: end, s; the sample at the end is outside"
    )
    onsets_s: tuple[NotNegative, ...] | None = Field(
        None, min_length=1, description="train: onsets of the pulses, s, rising"
    )
    offsets_s: tuple[Positive, ...] | None = Field(
        None, min_length=1, description="train: their ends, s, one per onset"
    )
    width_s: Positive | None = Field(
        None, description="train: length of every pulse, s, instead of offsets_s"
    )
    file: str | None = Field(
        None,
        description="CSV (with headings) or Parquet file, absolute or relative to data_folder",
    )
    time_column: str | None = Field(
        None,
        description="series: column of the times, s, rising, as irregular as they are; a value"
        " holds until the next one",
    )
    odor_column: str | None = Field(
        None, description="series: column of the concentration, fraction of the source"
    )
    onsets_column: str | None = Field(
        None, description="encounters: column of the onsets, s, rising; 0 is the signal's start"
    )
    offsets_column: str | None = Field(
        None, description="encounters: column of the ends, s, one per onset"
    )
    level: Number = Field(
        1.0, description="concentration during pulses and encounters, fraction of the source"
    )
    duration_s: Positive | None = Field(
        None, description="length of the signal, s; of a series: until a usual step after its end"
    )
    frame_rate_hz: Positive = Field(
        50.0,
        description="samples per second; onsets and ends of trains and encounters are kept exactly"
        " besides, and a series has its own times",
    )

    @property
    def form(self) -> str:
        """Name of the form; a key of FORMS."""
        given = self._given()
        return next(
            name
            for name, form in FORMS.items()
            if form.needed <= given <= form.needed | form.allowed
        )

    def _given(self) -> frozenset[str]:
        return frozenset(
            key
            for key in type(self).model_fields
            if key not in FORMS_OF and getattr(self, key) is not None
        )

    @model_validator(mode="after")
    def _exactly_one_form(self) -> Signal:
        given = self._given()
        fits = [
            name
            for name, form in FORMS.items()
            if form.needed <= given <= form.needed | form.allowed
        ]
        if len(fits) != 1:
            forms = "; ".join(
                f"{name}: {', '.join(sorted(form.needed))}"
                + (f" (may have {' or '.join(sorted(form.allowed))})" if form.allowed else "")
                for name, form in FORMS.items()
            )
            raise ValueError(f"give the keys of exactly one form ({forms})")
        form = fits[0]
        if form == "train" and (self.offsets_s is None) == (self.width_s is None):
            raise ValueError("a train needs offsets_s or width_s, one of them")
        for key, forms_of in FORMS_OF.items():
            default = type(self).model_fields[key].default
            if form not in forms_of and getattr(self, key) != default:
                raise ValueError(
                    f"{key} means nothing to a {form}; it is for {', '.join(forms_of)}"
                )
        return self
