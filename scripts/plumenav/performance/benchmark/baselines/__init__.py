"""How a laboratory would write the two fly models, and the least that any program has to do.

All do what the engine does, and record the same columns: sense in a movie that loops, decide, move,
see whether the step meets the source, sum up the track. Written for the benchmark and compared with
the engine step by step in its tests; models with published parameters, wind along +x, open
boundaries; arrival does not end a track.
"""
