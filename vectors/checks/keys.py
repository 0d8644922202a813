"""The keys that cases name by a set and seed numbers, each made once."""

from __future__ import annotations

import functools

from reference import chacha20, keys
from reference.parameters import SETS


@functools.cache
def secret(set_: str, number: int) -> keys.SecretKey:
    return keys.secret_key(SETS[set_], chacha20.test_seed(number))


@functools.cache
def cloud(set_: str, secret_number: int, number: int) -> keys.CloudKey:
    return keys.cloud_key(secret(set_, secret_number), chacha20.test_seed(number))


@functools.lru_cache(maxsize=2)
def switch_masks(set_: str, secret_number: int, number: int):
    """The expanded masks of a cloud key's key-switching key."""
    return cloud(set_, secret_number, number).switch_masks()


def inputs(given: dict):
    """The set, secret key and cloud key of a case's inputs."""
    set_ = given["set"]
    return SETS[set_], secret(set_, given["secret_key"]), cloud(set_, given["secret_key"], given["cloud_key"])
