"""`pixelwise-export weights.safetensors network.onnx`: trained weights for programs that know no PyTorch.

What such a file takes and answers stands in `pixelwise.zoo.export`.
"""

import argparse
import sys
from collections.abc import Sequence

from ..zoo import export, weights
from . import console
from .options import Option, Parser, Place, Switch

PROGRAM = "pixelwise-export"

OPTIONS = (
    Option(
        "weights",
        Place(),
        f"weights.safetensors of a training run, or {' or '.join(weights.SHIPPED)}, which come with the book",
        metavar="WEIGHTS",
    ),
    Option("network", Place(), "the file to write, by custom with the ending .onnx", metavar="NETWORK"),
    Option("--overwrite", Switch(), "replace a file that is there"),
)

EXAMPLES = f"""
example:
  {PROGRAM} data/runs/unet-camvid-360x480-seed0/weights.safetensors unet.onnx

in Python, a picture as it is, and the class of each of its pixels:
  session = onnxruntime.InferenceSession("unet.onnx")
  [labels] = session.run(["labels"], {{"image": numpy.asarray(Image.open("photo.jpg").convert("RGB"))[None]}})

in a web page, the same from a canvas:
  const {{data, height, width}} = context.getImageData(0, 0, canvas.width, canvas.height);
  const image = new ort.Tensor("uint8", new Uint8Array(data.buffer), [1, height, width, 4]);
  const {{labels}} = await session.run({{image}}, ["labels"]);

Ask for "logits" to get these, float32 (N, classes, height, width). Any height and width from {export.SMALLEST}
will do, but bring a picture to about the size of the training pictures first; the file's metadata tell it, with the
classes' names and the licence. It takes half a minute, and packages of its own:
pip install onnx onnxscript onnxruntime.
"""


@console.command_line(PROGRAM, stopped="stopped; nothing was written", memory="close other programs")
def main(arguments: Sequence[str] | None = None) -> None:
    """The command line; exits with one line that says what to do: status 2 for a wrong option, 1 for what fails."""
    options = parse(arguments)
    path, source = options.network, weights.file_of(options.weights)
    try:
        export.check_installed()
        if path.is_dir():
            raise OSError(f"{path} is a folder, expected the name of a file to write")
        if path.exists() and not options.overwrite:
            raise OSError(f"{path} is there already, and is kept: choose another name, or say --overwrite")
        if path.exists() and source.exists() and path.samefile(source):
            raise OSError(f"{path} is read by this very call and is kept; choose another name")
        model, metadata = weights.load(source)
        difference = export.export(path, model, metadata)
    except (ValueError, OSError, ModuleNotFoundError) as error:
        sys.exit(f"{PROGRAM}: {error}")
    console.say(
        f"{metadata.network.model} → {path}, {path.stat().st_size / 1e6:.1f} MB; onnxruntime gives the same labels, "
        f"and logits that differ by at most {difference:.0e}"
    )
    console.say(f"licence: {export.licence(metadata)}")


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options; exits with one line and status 2 for one that is wrong."""
    return Parser(
        OPTIONS,
        prog=PROGRAM,
        usage=f"{PROGRAM} [options] WEIGHTS NETWORK",
        description="Write trained weights as ONNX, and see that the file answers as the network does.",
        epilog=EXAMPLES,
    ).parse_args(arguments)


if __name__ == "__main__":
    main()
