"""What jobs do without, and what they still find."""

import subprocess
import sys
import textwrap

import factories
from conftest import ROOT


def test_jobs_do_without_what_others_only_look_for(tmp_path, monkeypatch):
    """pyarrow looks for pandas from compiled code: the frame at hand is that of its caller."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "scripts"))
    movie = factories.write_movie(tmp_path / "movie.parquet")
    work = f"""
        import sys
        from plumenav import jobs
        jobs.without("pandas", "colorsys")
        from plumenav.tables import PlumeReader
        PlumeReader({str(movie)!r}).time_s
        assert "pandas" not in sys.modules
        try:
            import colorsys
        except ModuleNotFoundError:
            pass
        else:
            raise SystemExit("found for somebody else")
        exec(compile("import colorsys", "ours.py", "exec"), {{"__name__": "plumenav.ours"}})
        assert "colorsys" in sys.modules
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(work)], check=True)
