"""What happens in each of the faults that tests try; the table in README.md is made of this and of their marks."""

OUTCOMES = {
    "Training killed in a step, while it writes, before the rename, between epochs": "Resumes to bit-equal weights",
    "Preparation killed at random moments; two processes prepare at once": "The same cache as undisturbed",
    "Cache truncated, altered, unreadable": "Noticed by its checksum, made again",
    "Weights or checkpoint truncated, altered, of another run or network": "Refused in one line, nothing touched",
    "Disk full, read-only, over quota": "One line; the old file stays, none is half written",
    "No network, broken or wrong deliveries": "Tried again and resumed, or what to do instead",
    "No GPU where one was asked for": "One line",
    "Out of memory": "What to make smaller; the other pictures are done",
    "Loss no number": "Stops at once, names step and cures",
    "Batch of one": "Trains, or says why batch normalisation can't",
    "Odd, oblong, tiny and huge pictures": "A result of that size, or the smallest size named",
    "Grey, palette, RGBA, 16-bit, CMYK, float, rotated by EXIF, animated": "Read as a person sees them",
    "Corrupt pictures, decompression bombs": "Named in one line; the others are done",
    "Copies of CamVid with faults": "One line that names the file",
    "Masks with unknown labels, all void, of one class": "Named, left out, or learned",
    "Blanks, quotes, any script in paths": "Work",
    "Code in files from outside": "Never run: no pickle, no archive",
}
