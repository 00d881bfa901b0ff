"""The steps from a file's numbers to concentration: one section each, applied in their order."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from plumenav.config.sections import IndexRange, Number, Percent, Positive, Section


class Crop(Section):
    """Part of the file's own image that is used."""

    rows: IndexRange | None = Field(None, description="[first, end) rows; all")
    columns: IndexRange | None = Field(None, description="[first, end) columns; all")


class FalseColour(Section):
    """A picture in false colour, turned back into the numbers that it shows."""

    map: str | None = Field(
        None, description="colour map: a name of matplotlib, or a CSV of red, green, blue; none"
    )
    low: Number = Field(0.0, description="number at the first colour of the map")
    high: Number = Field(1.0, description="number at its last colour")
    tolerance: Positive = Field(
        40.0,
        description="largest distance to a colour of the map, in steps of 8-bit red, green,"
        " blue; what is farther is not of the map",
    )


class Transfer(Section):
    """What the camera did to intensity, to be undone: stored number -> linear intensity."""

    kind: Literal["linear", "gamma", "square_root", "table"] = Field(
        "linear",
        description="linear: value; gamma: value**exponent; square_root: value**2; table: look-up",
    )
    full_scale: Positive = Field(1.0, description="stored number that means 1 before the exponent")
    exponent: Positive = Field(1.0, description="gamma: intensity = (stored/full_scale)**exponent")
    low: Number = Field(0.0, description="intensity (physical unit) at stored 0")
    high: Number = Field(1.0, description="intensity (physical unit) at stored full_scale")
    table: tuple[tuple[float, float], ...] = Field(
        (), description="table: (stored, intensity) pairs with rising stored numbers, interpolated"
    )


class FlatField(Section):
    """Uneven sensor and light: (image - dark) / (flat - dark), times the mean of (flat - dark)."""

    dark: str | IndexRange | None = Field(
        None, description="image file, or [first, end) frames, taken without light; none"
    )
    flat: str | IndexRange | None = Field(
        None, description="image file, or [first, end) frames, of even light; none"
    )


class Background(Section):
    """The image without plume, subtracted from every frame."""

    method: Literal["none", "image", "mean", "median", "percentile", "rolling"] = Field(
        "none",
        description="image: from a file; mean, median, percentile: of `frames`; rolling: the"
        " percentile of a window of frames that ends at the current one",
    )
    frames: IndexRange | None = Field(None, description="[first, end) frames without plume")
    image: str | None = Field(
        None, description="image: file next to the recording (file.mat:name for one of several)"
    )
    percentile: Percent = Field(50.0, description="percentile, rolling: which one")
    window_s: Positive | None = Field(None, description="rolling: length of the window, s")
    samples: int = Field(15, ge=3, le=101, description="rolling: frames looked at in the window")

    @model_validator(mode="after")
    def _complete(self) -> Background:
        if self.method in ("mean", "median", "percentile") and self.frames is None:
            raise ValueError("frames: say which [first, end) frames show no plume")
        if self.method == "image" and self.image is None:
            raise ValueError("image: say which file holds the image without plume")
        if self.method == "rolling" and self.window_s is None:
            raise ValueError("window_s: say how long the rolling window is")
        return self


class Polarity(Section):
    """Which way odour changes the light."""

    kind: Literal["bright", "dark", "absorbance"] = Field(
        "bright",
        description="bright: image - background; dark: background - image; absorbance:"
        " ln(background / image), the law of Beer and Lambert",
    )


class Despeckle(Section):
    """Single wrong pixels, replaced by the median of their neighbourhood."""

    size_px: Literal[0, 3, 5] = Field(0, description="edge of the neighbourhood; 0: not applied")


class ExtraStep(Section):
    """A step beyond the fixed order, from a file of its own."""

    step: str = Field(description="name of the step (normalization/extra/)")
    parameters: dict[str, Any] = Field({}, description="its parameters")


class Mask(Section):
    """Pixels of the file's own image that count; the others become clean air."""

    polygon: tuple[tuple[float, float], ...] = Field(
        (), description="corners (row, column) of the part that counts, at least 3; all"
    )
    image: str | None = Field(
        None, description="image file, 0 where pixels do not count (file.mat:name for one of many)"
    )

    @model_validator(mode="after")
    def _corners(self) -> Mask:
        if 0 < len(self.polygon) < 3:
            raise ValueError("polygon: at least 3 corners (row, column)")
        return self


class Lens(Section):
    """Lens distortion (Brown-Conrady, as in OpenCV's camera calibration), undone."""

    focal_px: Positive | None = Field(None, description="focal length, pixels; no distortion")
    centre_row_px: Number | None = Field(None, description="optical axis, row; the image's middle")
    centre_column_px: Number | None = Field(None, description="optical axis, column; the middle")
    k1: Number = Field(0.0, description="radial coefficient of r**2")
    k2: Number = Field(0.0, description="radial coefficient of r**4")
    k3: Number = Field(0.0, description="radial coefficient of r**6")
    p1: Number = Field(0.0, description="tangential coefficient")
    p2: Number = Field(0.0, description="tangential coefficient")


class NoiseFloor(Section):
    """Drift of the whole image: in every frame, the mean of clean air is brought to 0.

    Negatives stay: what a sensor ignores is the sensor's business (its dead zone).
    """

    rows: IndexRange | None = Field(None, description="[first, end) rows of clean air in the file")
    columns: IndexRange | None = Field(None, description="[first, end) columns of clean air")

    @model_validator(mode="after")
    def _both(self) -> NoiseFloor:
        if (self.rows is None) != (self.columns is None):
            raise ValueError("give rows and columns of the clean air, or neither")
        return self


class Calibration(Section):
    """Which linear intensity (after background) means concentration 0, and which means 1."""

    method: Literal["two_points", "percentile", "source_region"] = Field(
        "two_points",
        description="two_points: zero and one; percentile: one is a percentile of the movie;"
        " source_region: one is the mean of a region at the source",
    )
    zero: Number = Field(0.0, description="intensity of clean air")
    one: Number = Field(1.0, description="two_points: intensity of the undiluted source")
    percentile: Percent = Field(
        99.9, description="percentile: which one, of all pixel-frames that the mask leaves"
    )
    rows: IndexRange | None = Field(None, description="source_region: [first, end) rows")
    columns: IndexRange | None = Field(None, description="source_region: [first, end) columns")
    frames: IndexRange | None = Field(
        None, description="percentile, source_region: [first, end) frames looked at; all"
    )
    unit: str = Field("fraction of source", description="what concentration 1 means, for labels")
    source_value: Positive | None = Field(
        None,
        description="what concentration 1 is in a physical `unit` (500, with unit ppm); for labels:"
        " plumes and agents count in fractions of the source",
    )

    @model_validator(mode="after")
    def _complete(self) -> Calibration:
        if self.method == "two_points" and self.zero == self.one:
            raise ValueError("zero and one must differ")
        if self.method == "source_region" and (self.rows is None or self.columns is None):
            raise ValueError("source_region: give its rows and columns")
        return self

    @property
    def meaning(self) -> str:
        """What concentration 1 is, in words."""
        return self.unit if self.source_value is None else f"{self.source_value:g} {self.unit}"


class Resample(Section):
    """Pixel size and frame rate of the normalized plume."""

    mm_per_px: Positive | None = Field(None, description="pixel edge of the plume, mm; as recorded")
    frame_rate_hz: Positive | None = Field(None, description="frames per second; as recorded")
    time: Literal["nearest", "linear"] = Field(
        "nearest", description="linear interpolation invents odour motion: only if asked"
    )


class Storage(Section):
    """How concentration is stored."""

    dtype: Literal["auto", "uint8", "uint16", "int16", "float32"] = Field(
        "auto", description="auto: uint8 for 8-bit recordings, uint16 for deeper ones"
    )
    minimum: Number = Field(-0.25, description="smallest concentration that is kept")
    maximum: Number = Field(2.0, description="largest concentration that is kept")


class Blank(Section):
    """Where and when there is no plume, in pixels and frames of the normalized plume."""

    rows: IndexRange | None = Field(None, description="[first, end) rows; found from the movie")
    columns: IndexRange | None = Field(None, description="[first, end) columns; found")
    frames: IndexRange | None = Field(None, description="[first, end) frames; all")


class Normalization(Section):
    """Steps from the file's numbers to concentration, applied in the order of these keys.

    (The image is turned downwind, and its pixels made square, together with `lens`.)
    """

    crop: Crop = Crop()
    false_colour: FalseColour = FalseColour()
    transfer: Transfer = Transfer()
    flat_field: FlatField = FlatField()
    background: Background = Background()
    polarity: Polarity = Polarity()
    despeckle: Despeckle = Despeckle()
    extra: tuple[ExtraStep, ...] = Field(
        (), description="further steps on each frame's signal, in this order"
    )
    mask: Mask = Mask()
    lens: Lens = Lens()
    noise_floor: NoiseFloor = NoiseFloor()
    calibration: Calibration = Calibration()
    resample: Resample = Resample()
    storage: Storage = Storage()
    blank: Blank = Blank()
