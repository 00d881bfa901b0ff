"""How functions are compiled that only compiled code calls."""

from __future__ import annotations

from numba import njit

# Their code goes into the caller, nobody counts arrays for them, and no way to call them from
# elsewhere is compiled: that would take as long again.
inner = njit(
    forceinline=True,
    error_model="numpy",
    _nrt=False,
    no_cpython_wrapper=True,
    no_cfunc_wrapper=True,
)
