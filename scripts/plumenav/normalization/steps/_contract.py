"""What a step is: its definition in plain float64, and the parts from which the fast path is made.

A step file is named like its key in :mod:`plumenav.config.normalization` and defines

    plain(frames, settings, ...) -> ndarray
        The definition: frames of shape (n, height, width) in, float64 out, nothing optimized. The
        chain of all `plain` functions is the oracle for the fused kernel
        (:mod:`plumenav.normalization.kernel`), which must agree with it.

and next to it whatever the kernel needs of the step (gains, look-up tables, resamplers).
"""
