"""Noise under speech (notes 4.15): laid at a stated ratio, and an engine to make it with."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from gapwise.data.keyed import seed_of

ORDERS = 12
"""Tones of the engine: multiples of its firing rate."""

Sound = NDArray[np.float32]


def engine(key: str, rate: int, samples: int) -> Sound:
    """Return what an engine and the road sound like inside a car, root mean square 1: (samples,).

    A model, not a recording. The engine fires 30 to 90 times a second, wandering by up to 5 %, and
    sounds at twelve multiples of that, the higher the fainter; the road is noise that falls off by
    6 dB an octave above a pitch from 150 to 900 Hz. Engine and road share the power by a share from
    a fifth to four fifths. Two keys are two cars.

    Args:
        key: seeds everything.
        rate: samples a second.
        samples: how many.
    """
    draw = np.random.default_rng(seed_of("engine", key))
    time = np.arange(samples) / rate
    wander = 0.05 * np.sin(2 * np.pi * draw.uniform(0.2, 1.0) * time + draw.uniform(0, 2 * np.pi))
    turned = 2 * np.pi * np.cumsum(draw.uniform(30, 90) * (1 + wander)) / rate
    order = np.arange(1, ORDERS + 1)[:, None]
    loudness = draw.uniform(0.3, 1.0, (ORDERS, 1)) / order
    tones = (loudness * np.sin(order * turned + draw.uniform(0, 2 * np.pi, (ORDERS, 1)))).sum(0)
    keeps = np.exp(-2 * np.pi * draw.uniform(150, 900) / rate)
    road = lfilter([1 - keeps], [1, -keeps], draw.normal(size=samples))
    share = draw.uniform(0.2, 0.8)
    both = np.sqrt(share) * tones / loudness_of(tones)
    both = both + np.sqrt(1 - share) * road / loudness_of(road)
    return np.asarray(both / loudness_of(both), np.float32)


def laid_under(sound: Sound, noise: Sound, ratio: float, start: int, samples: int) -> Sound:
    """Return ``samples`` of a sound, silence behind it, with noise all along: within [-1, 1].

    Args:
        sound: (m,).
        noise: (k,), begun anew where it ends.
        ratio: of the sound's power to the noise's, in dB, over the length of the sound.
        start: where in the noise to begin.
        samples: how many.
    """
    filled = np.pad(sound[:samples], (0, max(0, samples - len(sound))))
    heard = loudness_of(sound[:samples])
    under = np.resize(np.roll(noise, -start), samples)
    mixed = filled + under * (heard / loudness_of(noise) * 10 ** (-ratio / 20))
    return np.asarray(mixed / max(1.0, float(np.abs(mixed).max())), np.float32)


def loudness_of(sound: NDArray[np.floating]) -> float:
    """Return the root mean square, never 0: silence divides nothing away."""
    mean = float(np.mean(np.square(sound, dtype=np.float64))) if len(sound) else 0.0
    return max(float(np.sqrt(mean)), 1e-12)
