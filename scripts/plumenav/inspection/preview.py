"""A calibration as a picture: the frame as it was filmed, and beside it as the agents are in it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imsave
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.transforms import Affine2D

from plumenav import world
from plumenav.config.recordings import Recording
from plumenav.errors import UserError
from plumenav.figures import _style as style
from plumenav.figures._save import METADATA
from plumenav.inspection import DEFAULT_FRAMES
from plumenav.inspection.look import Wanted, look_at
from plumenav.inspection.scene import Mark, Scene, scene_of
from plumenav.normalization.clock import read_stamps
from plumenav.normalization.geometry import geometry
from plumenav.normalization.pipeline import reader_settings
from plumenav.recordings._contract import DamageError
from plumenav.recordings._recognize import open_recording
from plumenav.tables import atomic

# Bright colours on a gray picture, each with a dark rim, so that they show on any ground.
RIM = [withStroke(linewidth=2.2, foreground="black")]
STYLES: dict[str, tuple[str, dict[str, Any]]] = {
    "plume": ("normalized plume", {"color": "#56b4e9", "lw": 1.1}),
    "crop": ("crop", {"color": "white", "lw": 0.8, "ls": (0, (1, 2.5))}),
    "mask": ("mask", {"color": "#ff8ad8", "lw": 1.0}),
    "blank": ("blank air", {"color": "#f0e442", "lw": 1.0, "ls": (0, (1, 1.5))}),
    "clean air": ("clean air (noise floor)", {"color": "#f0e442", "lw": 1.0}),
    "source region": (
        "source region (calibration)",
        {"color": "#ff8c69", "lw": 1.0, "ls": (0, (2, 1))},
    ),
    "start": ("start region", {"color": "#5dff9b", "lw": 1.1, "ls": (0, (4, 2))}),
    "success": ("success circle", {"color": "#ffb000", "lw": 1.1}),
}
SOURCE_COLOUR, WIND_COLOUR = "#ff5a36", "#ffe45c"
WARNING_COLOUR = "#b30000"
MARGIN = 0.25  # how far beyond the image marks are followed, in parts of its size
MOST_HEIGHT_MM = 110.0
NARROWEST = 0.2  # height by width of a panel below which it gets no more of the page
AXES_MM, BELOW_MM, LINE_MM = 28.0, 24.5, 3.6  # labels beside and below the panels, lines of text
ONE_ROW = 6  # entries of the legend that fit side by side
Place = Callable[[Mark], tuple[np.ndarray, np.ndarray]]


def source_file(
    label: str, entry: dict[str, Any], run: str, folder: Path, config: Path
) -> tuple[Recording, Path]:
    """The settings and the file of a recording that is a movie.

    Parameters
    ----------
    label : str
    entry : dict
        The recording in a resolved config.
    run : str
        Name of the run.
    folder : Path
        Folder that holds `results/`.
    config : Path
        For messages.

    Raises
    ------
    UserError
        If it is no movie, or a synthetic one that has not been made yet.
    """
    where = f"recordings.{label}"
    if entry["kind"] != "movie":
        raise UserError(
            where,
            f"is {entry['kind']}: there is no picture to draw on",
            "a recording that is a movie",
        )
    known = {key: value for key, value in entry.items() if key in Recording.model_fields}
    recording = Recording.model_validate(known)
    if not recording.synthetic:
        return recording, Path(entry["file"])
    made = folder / "results" / run / "recordings"
    files = [p for p in sorted(made.glob(f"{label}.*")) if not p.name.endswith(".json")]
    if not files:
        raise UserError(
            where,
            f"is synthetic, and there is no {made / label}.* yet",
            "a recording that exists",
            f"Make it with: make run CONFIG={config}",
        )
    return recording, files[0]


def scene_from(
    label: str,
    recording: Recording,
    path: Path,
    simulation: dict[str, Any],
    wanted: Wanted,
    n_frames: int = DEFAULT_FRAMES,
    time_file: Path | None = None,
) -> Scene:
    """Read a recording and place everything on one of its pictures.

    Parameters
    ----------
    label : str
    recording : Recording
    path : Path
        Its file.
    simulation : dict
        Section `simulation` of the config.
    wanted : Wanted
    n_frames : int
        Frames to look at.
    time_file : Path or None
        The file that `reader.time_file` names.

    Raises
    ------
    UserError
        If the recording cannot be read or the settings do not fit it.
    """
    where = f"recordings.{label}"
    stamps = None
    if time_file is not None:
        stamps = read_stamps(time_file, recording.reader.time_column, f"{where}.reader")
    with closing(open_recording(path, reader_settings(recording))) as opened:
        facts = opened.facts
        grid = geometry(recording, facts.height, facts.width, where).grid
        used, rate = recording.reader.frames, recording.frame_rate_hz
        lost = []
        try:
            look = look_at(opened, wanted, used, rate, path.name, n_frames, stamps)
        except DamageError as damage:
            first = used[0] if used else 0
            if recording.reader.on_damage != "truncate" or damage.readable <= first:
                raise
            used = (first, damage.readable)
            look = look_at(opened, wanted, used, rate, path.name, n_frames, stamps)
            lost = [f"the file is damaged: {damage.readable} frames are sound, the rest is lost"]
    scene = scene_of(recording, simulation, grid, look)
    return scene._replace(warnings=[*lost, *scene.warnings])


# ---------------------------------------------------------------------------------- drawing


def _in_file(mark: Mark) -> tuple[np.ndarray, np.ndarray]:
    return mark.column, mark.row


def _in_world(mark: Mark) -> tuple[np.ndarray, np.ndarray]:
    return mark.x_mm, mark.y_mm


def _limits(scene: Scene, place: Place, image: Mark) -> tuple[float, float, float, float]:
    """Smallest and largest coordinates: the image, and marks a little beyond it."""
    ends = []
    for axis in (0, 1):
        low, high = float(place(image)[axis].min()), float(place(image)[axis].max())
        beyond = MARGIN * (high - low)
        drawn = np.concatenate([place(mark)[axis] for mark in scene.marks])
        smallest = max(low - beyond, min(low, float(drawn.min())))
        largest = min(high + beyond, max(high, float(drawn.max())))
        edge = 0.015 * (largest - smallest)
        ends += [smallest - edge, largest + edge]
    return ends[0], ends[1], ends[2], ends[3]


def _outline(scene: Scene) -> Mark:
    height, width = scene.image.shape
    row = np.array([-0.5, -0.5, height - 0.5, height - 0.5, -0.5])
    column = np.array([-0.5, width - 0.5, width - 0.5, -0.5, -0.5])
    return Mark("image", row, column, *world.world_of_file(row, column, scene.view))


def _file_to_world(view: world.View) -> Affine2D:
    """The view as a matrix from (column, row) to (x, y)."""
    x0, y0 = world.world_of_file(0.0, 0.0, view)
    x1, y1 = world.world_of_file(0.0, 1.0, view)
    x2, y2 = world.world_of_file(1.0, 0.0, view)
    return Affine2D(np.array([[x1 - x0, x2 - x0, x0], [y1 - y0, y2 - y0, y0], [0.0, 0.0, 1.0]]))


def _show(axes: Axes, scene: Scene, view: world.View | None) -> None:
    """The picture, in the file's pixels or, through a view, in the world."""
    height, width = scene.image.shape
    finite = scene.image[np.isfinite(scene.image)]
    low, high = np.percentile(finite, [0.5, 99.7]) if len(finite) else (0.0, 1.0)
    shown = axes.imshow(
        scene.image,
        cmap="gray",
        vmin=low,
        vmax=high if high > low else low + 1,
        origin="upper",
        extent=(-0.5, width - 0.5, height - 0.5, -0.5),
        interpolation="antialiased",
    )
    if view is not None:
        shown.set_transform(_file_to_world(view) + axes.transData)


def _draw_marks(axes: Axes, scene: Scene, place: Place) -> None:
    for mark in scene.marks:
        if mark.name in STYLES:
            axes.plot(*place(mark), path_effects=RIM, zorder=3, **STYLES[mark.name][1])
    arrow = next(mark for mark in scene.marks if mark.name == "wind")
    (a0, a1), (b0, b1) = place(arrow)
    axes.annotate(
        "",
        xy=(a1, b1),
        xytext=(a0, b0),
        arrowprops={
            "arrowstyle": "-|>,head_width=0.28,head_length=0.5",
            "lw": 1.6,
            "color": WIND_COLOUR,
            "path_effects": [withStroke(linewidth=3.0, foreground="black")],
            "shrinkA": 0,
            "shrinkB": 0,
        },
        zorder=5,
        annotation_clip=False,
    )
    zero = np.zeros(1)
    row, column = world.file_of_world(zero, zero, scene.view)
    a, b = place(Mark("source", row, column, zero, zero))
    axes.plot(a, b, "+", ms=9, mew=3.2, color="black", zorder=6)
    axes.plot(a, b, "+", ms=8, mew=1.6, color=SOURCE_COLOUR, zorder=6)


def _scale_bar(axes: Axes, mm_per_unit: float) -> None:
    """Scale bar in the lower left corner; `mm_per_unit` along the horizontal axis."""
    left, right = sorted(axes.get_xlim())
    length = style.nice_length_mm((right - left) * mm_per_unit)
    share = length / mm_per_unit / (right - left)
    axes.plot(
        [0.04, 0.04 + share],
        [0.05, 0.05],
        transform=axes.transAxes,
        color="white",
        lw=2.4,
        solid_capstyle="butt",
        path_effects=[withStroke(linewidth=4.0, foreground="black")],
        zorder=7,
    )
    axes.text(
        0.04,
        0.075,
        f"{length:g} mm",
        transform=axes.transAxes,
        ha="left",
        va="bottom",
        color="white",
        path_effects=RIM,
        zorder=7,
    )


def _legend(figure: Figure, scene: Scene, recording: Recording) -> None:
    present = {mark.name for mark in scene.marks}
    handles = [
        Line2D([], [], marker="+", ls="none", ms=7, mew=1.6, color=SOURCE_COLOUR, label="source"),
        Line2D(
            [], [], color=WIND_COLOUR, lw=1.8, label=f"wind, {recording.wind.speed_mm_s:g} mm/s"
        ),
        *(
            Line2D([], [], label=label, **how)
            for name, (label, how) in STYLES.items()
            if name in present
        ),
    ]
    legend = figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=len(handles) if len(handles) <= ONE_ROW else -(-len(handles) // 2),
        facecolor="#4d4d4d",
        labelcolor="white",
        frameon=True,
        edgecolor="none",
    )
    legend.get_frame().set_alpha(1.0)


def draw(scene: Scene, recording: Recording, title: str) -> Figure:
    """The picture.

    Parameters
    ----------
    scene : Scene
    recording : Recording
    title : str
        Label and file.

    Returns
    -------
    Figure
    """
    outline = _outline(scene)
    limits = [_limits(scene, place, outline) for place in (_in_file, _in_world)]
    edges = (scene.view.row_mm / scene.view.column_mm, 1.0)
    shapes = [
        edge * (b1 - b0) / (a1 - a0) for edge, (a0, a1, b0, b1) in zip(edges, limits, strict=True)
    ]
    # both panels equally high: the wider one gets more of the page
    widths = [1 / max(shape, NARROWEST) for shape in shapes]
    height = min(MOST_HEIGHT_MM, (style.PAGE_MM - AXES_MM) / sum(1 / shape for shape in shapes))
    head = LINE_MM * (1.6 + len(scene.warnings))
    page = head + height + BELOW_MM
    with mpl.rc_context(cast(Any, style.RC)):
        figure = Figure(
            figsize=(style.PAGE_MM * style.MM, page * style.MM), layout="constrained", dpi=style.DPI
        )
        engine: Any = figure.get_layout_engine()
        engine.set(rect=(0.0, 0.0, 1.0, 1.0 - head / page))
        top = 1.0 - 0.3 * LINE_MM / page
        figure.text(0.01, top, title, ha="left", va="top", fontsize=8, fontweight="bold")
        for i, warning in enumerate(scene.warnings):
            y = top - (1.2 + i) * LINE_MM / page
            figure.text(0.01, y, f"! {warning}", ha="left", va="top", color=WARNING_COLOUR)
        left, right = figure.subplots(1, 2, width_ratios=widths)
        _panel(left, scene, _in_file, limits[0], None)
        left.invert_yaxis()
        left.set_title("as filmed, in a mirror" if recording.mirrored else "as filmed")
        left.set_xlabel("column")
        left.set_ylabel("row")
        left.set_aspect(edges[0])
        _scale_bar(left, scene.view.column_mm)
        _panel(right, scene, _in_world, limits[1], scene.view)
        right.set_title("as simulated: downwind is right")
        right.set_xlabel("x, downwind of the source (mm)")
        right.set_ylabel("y, crosswind (mm)")
        right.set_aspect("equal")
        _scale_bar(right, 1.0)
        _legend(figure, scene, recording)
    return figure


def _panel(
    axes: Axes,
    scene: Scene,
    place: Place,
    limits: tuple[float, float, float, float],
    view: world.View | None,
) -> None:
    axes.set_facecolor("#8c8c8c")
    _show(axes, scene, view)
    _draw_marks(axes, scene, place)
    axes.set_xlim(limits[0], limits[1])
    axes.set_ylim(limits[2], limits[3])


def save(figure: Figure, path: Path) -> None:
    """Write a PNG, the same bytes every time."""
    with mpl.rc_context(cast(Any, style.RC)), atomic(path) as temporary:
        raster: Any = FigureCanvasAgg(figure)
        raster.draw()
        imsave(
            temporary,
            raster.buffer_rgba(),
            format="png",
            dpi=figure.dpi,
            metadata=METADATA["png"],
        )
