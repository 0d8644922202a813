"""What calls return as dictionaries."""

from typing import Literal, TypedDict


class LayerEstimate(TypedDict):
    """A layer of a network on the functional engine."""

    name: str
    bootstraps: int
    #: The least and the greatest sum that its unit has room for, and those that a picture could have.
    sums: tuple[int, int]
    worst_case: tuple[int, int]
    #: Standard deviation of the noise on its sums, in the same units.
    noise_deviation: float


class Estimate(TypedDict):
    """What one encrypted picture costs."""

    engine: Literal["functional", "gates"]
    parameters: str
    bootstraps: int
    #: Of ciphertexts in memory, beside the expanded cloud key.
    ciphertext_bytes: int
    #: Of a picture and of scores as they are sent; none for the gates.
    image_bytes: int | None
    scores_bytes: int | None
    cloud_key_bytes: int
    #: The share that noise is expected to change, where the manifest states it.
    label_changes: float | None
    layers: list[LayerEstimate]


class Imported(TypedDict):
    """How a network was imported."""

    #: Of each layer with weights.
    weight_bits: list[int]
    pictures: int
    #: Pictures whose labels were compared, 1,000 at most.
    compared: int
    #: Of these, how many have the same label in integers as in floating point.
    integer_equal: int
    #: And how many are right, where labels were given.
    real_correct: int | None
    integer_correct: int | None
