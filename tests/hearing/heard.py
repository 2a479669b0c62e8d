"""Tells which of several sentences a telephone recording holds.

usage: heard.py RECORDING.wav < sentences, one a line
prints {"named": index or null, "costs": [one a sentence]}

Two judges: a recogniser that must choose one of the sentences, and the distance between the recording and what
espeak-ng makes of each sentence. The recogniser never says "none of them"; the distance hardly tells one changed
word from a bad line. Believe only what both say.
"""

import io
import json
import re
import subprocess
import sys
import wave

import numpy as np
import pocketsphinx

RATE_HZ = 8000
FRAME, HOP, FFT, BANDS, CEPSTRA = 200, 80, 256, 23, 13
FLOOR = 1e6
# As in src/demo/recording.rs; a fifth of a second.
LOUD, BREATH = 400, RATE_HZ // 5
# 20 ms, and how many of them a pause has.
SLOT, PAUSE_SLOTS = RATE_HZ // 50, 18
SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
TENS = "zero ten twenty thirty forty fifty sixty seventy eighty ninety".split()


def number(value):
    if value < 20:
        return SMALL[value]
    tens, ones = divmod(value, 10)
    return TENS[tens] if ones == 0 else f"{TENS[tens]} {SMALL[ones]}"


def time_of_day(match):
    """As a text is spoken in English: 10:00 is "ten o'clock", 14:05 "two oh five p m"."""
    hour, minute = int(match[1]), int(match[2])
    if minute == 0 and hour % 12 == 0:
        return "noon" if hour == 12 else "midnight"
    half = " p m" if hour > 12 else " a m" if hour == 0 or match[1].startswith("0") else ""
    half = {"am": " a m", "pm": " p m"}.get(match[3], half)
    spoken = number(hour % 12 or 12)
    if minute == 0:
        return spoken + (half or " o'clock")
    return f"{spoken} {'oh ' if minute < 10 else ''}{number(minute)}{half}"


def with_times_in_words(sentence):
    """With its times of day in words."""
    return re.sub(r"(\d+):(\d\d)(?: ([ap]m))?", time_of_day, sentence)


def words(sentence):
    # The recogniser's dictionary has it in two words.
    sentence = sentence.lower().replace("localhost", "local host")
    sentence = with_times_in_words(sentence)
    sentence = re.sub(r"\d+", lambda match: f" {number(int(match[0]))} ", sentence)
    return re.findall(r"[a-z']+", sentence)


def samples(file):
    with wave.open(file, "rb") as sound:
        assert (sound.getsampwidth(), sound.getnchannels()) == (2, 1), "mono with 16 bits a sample is wanted"
        heard = np.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2")
        heard = without_marks(resampled(heard.astype(float), sound.getframerate(), RATE_HZ))
        return with_short_pauses(voiced(heard))


def voiced(heard):
    """Without the quiet around it: loudness and mean are taken over all that is left, and a busy machine begins late."""
    loud = np.flatnonzero(np.abs(heard) > LOUD)
    if len(loud) == 0:
        return heard
    return heard[max(0, loud[0] - BREATH) : loud[-1] + BREATH]


def without_marks(heard):
    """Without the soft tone around what a sender wrote, which is no speech."""
    whole = len(heard) // SLOT * SLOT
    slots = heard[:whole].reshape(-1, SLOT)
    power = np.abs(np.fft.rfft(slots * np.hanning(SLOT), axis=1)) ** 2
    # The tone has 440 Hz; a slot resolves 50 Hz.
    is_mark = power[:, 7:11].sum(axis=1) > 0.97 * power.sum(axis=1) + 1
    return np.concatenate([slots[~is_mark].ravel(), heard[whole:]])


def with_short_pauses(heard):
    """With its pauses no longer than a voice makes them between two sentences."""
    whole = len(heard) // SLOT * SLOT
    slots = heard[:whole].reshape(-1, SLOT)
    kept, quiet = [], 0
    for slot in slots:
        quiet = quiet + 1 if np.abs(slot).max() <= LOUD else 0
        if quiet <= PAUSE_SLOTS:
            kept.append(slot)
    return np.concatenate([*kept, heard[whole:]])


def resampled(heard, rate, wanted):
    if rate == wanted or len(heard) == 0:
        return heard
    length = len(heard) * wanted // rate
    spectrum = np.fft.rfft(heard)
    bins = length // 2 + 1
    spectrum = np.pad(spectrum, (0, max(0, bins - len(spectrum))))[:bins]
    return np.fft.irfft(spectrum, length) * (length / len(heard))


def normalised(heard, rate):
    """As loud as the recogniser is used to, with a breath of noise, since nothing on a real line is exactly silent."""
    heard = resampled(heard, RATE_HZ, rate)
    heard = np.pad(heard * (2500 / max(1.0, np.sqrt(np.mean(heard**2)))), rate // 4)
    return heard + np.random.default_rng(1).normal(0, 30, len(heard))


def named(heard, candidates):
    decoder = pocketsphinx.Decoder(
        samprate=16000, lm=None, beam=1e-120, wbeam=1e-100, pbeam=1e-120, maxhmmpf=-1, loglevel="ERROR"
    )
    spoken = [words(candidate) for candidate in candidates]
    unknown = {word for sentence in spoken for word in sentence if decoder.lookup_word(word) is None}
    assert not unknown, f"the recogniser does not know {sorted(unknown)}"
    sentences = " | ".join(" ".join(sentence) for sentence in spoken)
    decoder.add_jsgf_string("s", f"#JSGF V1.0;\ngrammar s;\npublic <s> = {sentences};\n")
    decoder.activate_search("s")
    decoder.start_utt()
    loud = np.clip(normalised(heard, 16000), -32768, 32767).astype("<i2")
    decoder.process_raw(loud.tobytes(), full_utt=True)
    decoder.end_utt()
    found = decoder.hyp()
    found = found.hypstr.split() if found else None
    return spoken.index(found) if found in spoken else None


def reading(sentence):
    command = ["espeak-ng", "-v", "en-us", "-s", "150", "-g", "1", "--stdout", with_times_in_words(sentence)]
    spoken = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    with wave.open(io.BytesIO(spoken), "rb") as sound:
        rate = sound.getframerate()
    return resampled(np.frombuffer(spoken[44:], dtype="<i2").astype(float), rate, RATE_HZ)


def mel(hertz):
    return 2595 * np.log10(1 + hertz / 700)


def filters():
    edges = 700 * (10 ** (np.linspace(mel(150), mel(3600), BANDS + 2) / 2595) - 1)
    at = np.arange(FFT // 2 + 1) * RATE_HZ / FFT
    rise = (at - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    fall = (edges[2:, None] - at) / (edges[2:] - edges[1:-1])[:, None]
    return np.maximum(0, np.minimum(rise, fall))


def cepstra(heard):
    heard = normalised(heard, RATE_HZ)
    heard = np.append(heard[0], heard[1:] - 0.95 * heard[:-1])
    frames = np.lib.stride_tricks.sliding_window_view(heard, FRAME)[::HOP] * np.hamming(FRAME)
    power = np.abs(np.fft.rfft(frames, FFT)) ** 2
    bands = np.log(power @ filters().T + FLOOR)
    order = np.arange(1, CEPSTRA)[:, None]
    cosines = np.cos(np.pi / BANDS * order * (np.arange(BANDS) + 0.5))
    found = bands @ cosines.T / np.sqrt(BANDS)
    return found - found.mean(axis=0)


def cost(template, heard):
    """Mean distance along the best path; the template may begin and end anywhere in what was heard."""
    distance = np.sqrt(((template[:, None, :] - heard[None, :, :]) ** 2).sum(axis=2))
    total = distance[0].copy()
    for row in distance[1:]:
        one = np.concatenate(([np.inf], total[:-1]))
        two = np.concatenate(([np.inf, np.inf], total[:-2]))
        total = row + np.minimum(np.minimum(total, one), two)
    return float(total.min() / len(template))


def main():
    candidates = [line.strip() for line in sys.stdin if line.strip()]
    heard = samples(sys.argv[1])
    features = cepstra(heard)
    costs = [cost(cepstra(reading(candidate)), features) for candidate in candidates]
    print(json.dumps({"named": named(heard, candidates), "costs": costs}))


main()
