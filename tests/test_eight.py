"""Eight bytes at once: the compiled code and its Python twin, and the random choice that is made of it."""

import numpy as np

from sandbox.engine.eight import put
from sandbox.engine.kernel import kernel
from sandbox.engine.policies import _few, _many


@kernel
def _put(array, at, word):
    put(array, at, word)


def test_a_word_is_written_as_bytes_the_lowest_first():
    compiled, plain = np.zeros((2, 3, 5), np.int8), np.zeros((2, 3, 5), np.int8)
    for at, word in ((0, 0x0102030405060708), (9, 0x7F00FF0180AA5503), (22, 1)):
        _put(compiled, at, np.uint64(word))
        put(plain, at, np.uint64(word))
    assert compiled.tobytes() == plain.tobytes()
    assert compiled.ravel()[:8].tolist() == [8, 7, 6, 5, 4, 3, 2, 1]
    assert compiled.ravel()[8] == 0, "a byte beside the word was written"


def test_few_and_many_choose_the_same_pair_and_each_legal_one():
    for pairs in range(1, 9):
        for bits in range(1 << pairs):
            mask = np.array([bits >> k & 1 for k in range(pairs)], np.bool_)
            chosen = {_few(mask, np.uint64(dice), 3) for dice in range(40)}
            assert chosen == {_many(mask, np.uint64(dice), 3) for dice in range(40)}
            assert chosen <= set(np.flatnonzero(mask).tolist()) or chosen == {-1} and not bits
        assert {_few(mask, np.uint64(dice), 3) for dice in range(200)} == set(range(pairs))
