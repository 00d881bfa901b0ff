"""Several who look at a plume together see what each would see alone, and read it once."""

import threading
import weakref

import numpy as np
import pytest

from plumenav.tables import Block
from plumenav.tables.together import AbandonedError, look_together


class Movie:
    """Six blocks of two frames, which notes what is read and what is in memory."""

    def __init__(self):
        self.read, self.alive = [], []
        self.most_alive = 0

    def __call__(self, number):
        frames = np.full((2, 3, 3), number)
        self.read.append(number)
        self.alive.append(weakref.ref(frames))
        self.most_alive = max(self.most_alive, sum(one() is not None for one in self.alive))
        return Block(2 * number, np.arange(2.0), frames)


def seen_by(numbers):
    def look(seat):
        return [int(seat.block(number).frames[0, 0, 0]) for number in numbers]

    return look


def test_all_see_what_they_ask_for_and_share_it():
    wanted = [[0, 1, 2, 3, 4, 5], [2, 3, 4, 5, 0, 1], [4, 4, 4], [], [1, 5, 1, 5]]
    movie = Movie()
    assert look_together(movie, [seen_by(numbers) for numbers in wanted]) == wanted
    # one round for all, and another for those who begin again
    assert movie.read == [0, 1, 2, 3, 4, 5, 0, 1, 5]
    assert movie.most_alive == 1
    assert look_together(movie, []) == []


def test_a_failure_is_that_of_the_one_who_failed_and_ends_the_others():
    ended = []

    def goes_on(seat):
        try:
            for number in range(6):
                seat.block(number)
        except AbandonedError:
            ended.append("abandoned")
            raise

    def fails(seat):
        seat.block(2)
        raise ZeroDivisionError

    threads = []

    def notes(seat):
        threads.append(threading.current_thread())
        goes_on(seat)

    with pytest.raises(ZeroDivisionError):
        look_together(Movie(), [notes, fails])
    threads[0].join(5.0)
    assert ended == ["abandoned"]


def test_a_reader_that_fails_ends_all():
    def broken(number):
        raise OSError("damaged")

    with pytest.raises(OSError, match="damaged"):
        look_together(broken, [seen_by([0]), seen_by([1])])
