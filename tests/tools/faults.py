"""What happens in each of the faults that tests try; docs/robustness.md is made of this and of their marks."""

OUTCOMES: dict[str, str] = {
    # training and what it leaves
    "Training killed in a step, while it writes, before the rename; stopped between epochs": (
        "Resumes to bit-equal weights"
    ),
    "Resumed with other data, splits, network or precision": "Refused, says what differs",
    "Two runs in one folder; a lock of a killed process": "The second is refused by name; taken over",
    "Training and validation scenes that overlap": "Refused",
    "Loss no number": "Stops at once, names step and cures",
    "Batch of one": "Trains, or says why batch normalisation can't",
    "Weights or checkpoint truncated, altered, swapped, NaN, forged, of another run or network": (
        "Refused in one line, nothing touched"
    ),
    "Weights in half, bfloat16 or double precision": "Converted, or refused where too large",
    "A network that can't be exported, or whose export answers otherwise": "One line, and no file is left",
    "Undefined figures": "`null` in JSON, a dash in print",
    # options
    "Options out of range, no number, or not together; unknown devices": (
        "One line with the range, status 2, before data are loaded"
    ),
    "Settings at the ends of their ranges": "Finite figures, or one line",
    "Recipes and augmentations that can't be, from Python": "ValueError with the range",
    "NumPy arrays or lists where tensors belong": "Named",
    "More classes than a byte has labels": "Refused; up to 255 are read and coloured",
    # data
    "Preparation killed at random moments; two processes prepare at once": "The same cache as undisturbed",
    "Cache truncated, altered, unreadable": "Noticed by its checksum, made again",
    "Copies of CamVid with faults": "One line that names the file",
    "Masks with unknown labels, all void, of one class": "Named, left out, or learned",
    "Your own folders with faults": (
        "All of them in one pass, a line each that names file and cure; nothing is written"
    ),
    "`PIXELWISE_DATA` a file, unwritable or full": 'prepare says so, never "ready"',
    "No network, broken or wrong deliveries": "Tried again and resumed, or what to do instead",
    # pictures and predictions
    "Odd, oblong, tiny and huge pictures": "A result of that size, or the smallest size named",
    "Grey, palette, RGBA, 16-bit, CMYK, float, rotated by EXIF, animated": "Read as a person sees them",
    "Corrupt pictures, decompression bombs": "Named in one line; the others are done",
    "Pictures in formats that start programs or are not on the list": "Refused; nothing is started",
    "Pipes, devices, empty names, link loops, folders that may not be read": "One line; the others are done",
    "Files of yours where a prediction would go": (
        "Kept and named; only its own, unchanged outputs are replaced, inputs never"
    ),
    "Unprintable names, closed pipes, full or closed output": "One safe line each; no picture is lost",
    # the machine
    "Disk full, read-only, over quota": "One line; the old file stays, none is half written",
    "Out of memory": "What to make smaller; the other pictures are done",
    "No GPU where one was asked for": "One line",
    "Blanks, quotes, any script in paths": "Work",
    "A clock that is ahead or behind": "Nothing that is being written is swept",
    "Code in files from outside": "Never run: no pickle, no archive",
    # the environment, Colab and the site
    "A folder that make did not set up, or another checkout's": "Refused in one line, nothing touched",
    "The environment moved, copied, broken, interrupted, out of date": (
        "Noticed by every command; made anew or brought up to date"
    ),
    "PyTorch's index of CPU wheels silent, hanging, without the locked versions, with other files": (
        "All from PyPI after 5 s at most; a file with another hash is refused"
    ),
    "In Colab: no network, a moved or missing tag, half a clone, blanks in HOME": (
        "One line, or repaired; never another state unsaid"
    ),
    "A build interrupted, two at once, a full disk, a warning": (
        "The last whole site stays, or a whole new one is there"
    ),
    "Contents changed between builds": "As a build from nothing",
    "An output folder that no build made": "Refused, untouched",
    "Hostile addresses of figures": "A state is shown",
    "Hostile searches": "Answered",
    "Pictures that no browser can show": "One line that says what it is",
    "Damaged pictures on the photo page": "Shown, or refused in one line",
    "A worker that fails on the photo page": "The page does the work, and says so",
    "A graphics processor that fails on the photo page": "The engine does the work, and says why",
    "Rubbish typed into an exercise": "Answered with what is wanted",
}
