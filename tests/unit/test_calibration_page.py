"""docs/calibration.md: what it tells a newcomer to type works as written, on a small film."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from factories_recordings import SOURCE, lopsided, write_video
from plumenav.cli import app

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "calibration.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL)


def typed(command: str) -> Any:
    program, *arguments = shlex.split(command)
    assert program == "plumenav"
    return CliRunner().invoke(app, arguments)


def test_the_commands_of_the_page_take_a_newcomer_to_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PLUMENAV_DATA", raising=False)
    for folder in ("data", "config"):
        (tmp_path / folder).mkdir()
    write_video(tmp_path / "data" / "mine.avi", lopsided(30), "FFV1")
    look, look_at_all, check, preview = BLOCKS

    page = typed(look)
    assert page.exit_code == 0, page.stderr
    assert typed(look_at_all).exit_code == 0
    block = yaml.safe_load("recordings:\n" + page.stdout.partition("\nrecordings:\n")[2])
    copied = yaml.safe_load((ROOT / "config" / "stromboli.yaml").read_text(encoding="utf-8"))
    config = tmp_path / "config" / "mine.yaml"

    def save() -> None:
        config.write_text(yaml.safe_dump({**copied, **block, "run": "mine"}), encoding="utf-8")

    mine = block["recordings"]["mine"]
    save()
    measured = {
        "mm_per_px": 3.0,
        "source_px": {"row": SOURCE[0], "column": SOURCE[1]},
        "wind_toward": "+column",
        "wind": {"speed_mm_s": 100},
    }
    unasked = set(measured)
    for _ in range(len(measured) + 1):
        asked = typed(check)
        if asked.exit_code == 0:
            break
        assert asked.exit_code == 1
        key = re.search(r"recordings\.mine\.([\w.]+)", asked.stderr)
        assert key, asked.stderr
        if key[1] == "normalize.calibration.one":
            mine["normalize"]["calibration"]["one"] = 200
        else:
            name = key[1].split(".")[0]
            mine[name] = measured[name]
            unasked.remove(name)
        save()
    assert typed(check).exit_code == 0
    assert unasked == set()

    for command in preview.strip().splitlines():
        drawn = typed(command)
        assert drawn.exit_code == 0, drawn.stderr
    assert (tmp_path / "results" / "mine" / "previews" / "mine.png").is_file()
    assert (tmp_path / "mine.png").is_file()


def test_every_option_that_the_page_names_exists() -> None:
    named = set(re.findall(r"`(--[a-z-]+)", PAGE))
    assert {"--json", "--frame", "--time", "--mean", "--preset"} <= named
    helps = "".join(
        str(parameter.opts)
        for command in ("probe", "preview", "check")
        for parameter in _click(command).params
    )
    for option in named:
        assert f"'{option}'" in helps, option


def _click(name: str) -> Any:
    from typer.main import get_command

    group: Any = get_command(app)
    return group.commands[name]
