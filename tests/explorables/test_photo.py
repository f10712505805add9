"""Segmenting a reader's photo: what is computed is Python's, any picture is answered, and nothing leaves the page."""

import base64
import functools
import http.server
import io
import random
import re
import threading

import numpy as np
import pytest
import torch
from PIL import Image

from pixelwise import browser, explorables
from pixelwise.browser.pack import quantised
from pixelwise.data import streets
from pixelwise.evaluation.pictures import enlarge_and_label, resize, working_size
from pixelwise.explorables import bundle, photo, sources
from pixelwise.zoo import weights
from tests.helpers.browser import until

ANSWERED = re.compile("It took")
WAIT = 180_000


@pytest.fixture(scope="module")
def compute(functions):
    return functions("photo", "workingSize", "resample", "votesAt")


POLICY = "default-src 'none'; script-src 'self'; img-src 'self' data:; connect-src 'none'; worker-src blob:"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of a page with the figure, the network for scenes beside it, and a page on which no worker may be."""
    folder = tmp_path_factory.mktemp("photo")
    photo.write_scripts(folder / "networks", ["streets"])
    (folder / "photo.js").write_text(bundle.bundle("photo"), encoding="utf-8")
    networks = [one for one in explorables.Photo().networks if one["name"] == "streets"]
    for name, policy in (("index", POLICY), ("strict", POLICY.replace("blob:", "'none'"))):
        (folder / f"{name}.html").write_text(
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>A page</title><link rel="icon" href="data:,">'
            f'<meta http-equiv="Content-Security-Policy" content="{policy}"><script defer src="photo.js"></script>'
            f"<main>{explorables.Photo(networks=networks, folder='networks/').still('')}</main></html>",
            encoding="utf-8",
        )
    return folder


@pytest.fixture(scope="module")
def visit(browser):
    """Open an address with the figure; what the page asks for is in tab.asked, what goes wrong in tab.troubles."""
    contexts = []

    def visit(address, before=""):
        contexts.append(browser.new_context(viewport={"width": 1000, "height": 1400}, accept_downloads=True))
        tab = contexts[-1].new_page()
        tab.troubles, tab.asked = [], []
        tab.on("console", lambda message: tab.troubles.append(message.text))
        tab.on("pageerror", lambda error: tab.troubles.append(str(error)))
        tab.on("request", lambda request: request.url.startswith(("data:", "blob:")) or tab.asked.append(request.url))
        tab.add_init_script(before)
        tab.goto(address)
        tab.locator(".pw-live").wait_for(timeout=20_000)
        return tab

    yield visit
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def page(visit, folder):
    """The page, opened from its folder."""
    return visit((folder / "index.html").as_uri())


@pytest.fixture(scope="module")
def server(folder):
    """Where the folder is served."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def served(visit, server):
    """The page, opened from a server."""
    return visit(f"{server}index.html")


def scene(size=(60, 80), index=4):
    return streets.generate(index, seed=2, size=size)[0]


def file_of(image, kind="PNG", name=None, **options):
    """A picture (3, H, W) uint8, or one of Pillow's, as the file that a reader would choose."""
    image = image if isinstance(image, Image.Image) else Image.fromarray(np.asarray(image).transpose(1, 2, 0))
    out = io.BytesIO()
    image.save(out, kind, **options)
    return {"name": name or f"view.{kind.lower()}", "mimeType": f"image/{kind.lower()}", "buffer": out.getvalue()}


def choose(tab, file, says=ANSWERED):
    """Choose a file and return what is said once it is what was expected."""
    tab.evaluate("document.querySelector('.pw-finding').textContent = ''")
    tab.locator("input[type=file]").set_input_files(file)
    found = tab.locator(".pw-finding", has_text=says)
    found.wait_for(timeout=WAIT)
    return found.inner_text()


def pixel(tab, x, y):
    read = """([x, y]) => {
      const pen = document.createElement("canvas").getContext("2d");
      pen.drawImage(document.querySelector(".result canvas"), -x, -y);
      return [...pen.getImageData(0, 0, 1, 1).data];
    }"""
    return tab.evaluate(read, [x, y])


def test_a_picture_is_shown_at_the_size_that_python_shows_it(compute):
    draw = random.Random(0)
    sizes = [(1, 1), (360, 641), (5000, 1), (40, 16000), (180, 240)]
    sizes += [(draw.randint(1, 4000), draw.randint(1, 4000)) for _ in range(200)]
    for size in sizes:
        assert tuple(compute("workingSize", size, (180, 240))) == working_size(size, (180, 240)), size


@pytest.mark.parametrize(("size", "to"), [((90, 131), (40, 58)), ((20, 31), (33, 64)), ((7, 300), (32, 40))])
def test_a_picture_is_resized_as_pillow_does(compute, size, to):
    image = np.random.default_rng(0).integers(0, 256, (3, *size), dtype=np.uint8)
    given = np.concatenate([image, np.full_like(image[:1], 255)]).transpose(1, 2, 0).ravel().tolist()
    found = compute("resample", {"data": given, "height": size[0], "width": size[1]}, to)
    found = np.array(list(found.values() if isinstance(found, dict) else found)).reshape(*to, 4)[..., :3]
    wanted = resize(torch.from_numpy(image), to).permute(1, 2, 0).numpy()
    assert np.abs(found - wanted.astype(int)).max() <= 1


def test_shares_and_doubts_are_those_of_the_softmax(compute):
    generator = torch.Generator().manual_seed(0)
    logits = 3 * torch.randn(11, 6, 9, generator=generator)
    given = {"height": 6, "width": 9, "channels": 11, "data": logits.permute(1, 2, 0).flatten().tolist()}
    size = (14, 23)
    full = torch.nn.functional.interpolate(logits[None], size, mode="bilinear")[0].softmax(0)
    for row, column in [(0, 0), (13, 22), (5, 17)]:
        votes = compute("votesAt", given, (row, column), size)
        assert [one["label"] for one in votes] == full[:, row, column].argsort(descending=True).tolist()
        torch.testing.assert_close(
            torch.tensor([one["share"] for one in votes]), full[:, row, column].sort(descending=True).values
        )


@pytest.mark.parametrize(("place", "way"), [("page", "in plain JavaScript,"), ("served", "in a worker,")])
def test_answers_are_pythons(request, place, way):
    """From the file to the shares and the saved mask: as the graph of the same network says in PyTorch."""
    page = request.getfixturevalue(place)
    before = list(page.asked)
    assert not any("networks" in url for url in before), "a network came before anybody asked for it"
    image = scene((97, 131))
    said = choose(page, file_of(image, name="a street.png"))
    assert [url.rpartition("/")[2] for url in page.asked[len(before) :]] == ["streets.js"]
    model, metadata = weights.load(weights.SHIPPED["streets"])
    graph = quantised(browser.Graph.of(model))
    picture = torch.from_numpy(image)
    logits = graph.run(resize(picture, working_size((97, 131), metadata.size))[None])[-1]
    wanted = enlarge_and_label(logits[0], (97, 131)).numpy()
    with page.expect_download() as saved:
        page.get_by_role("button", name="mask").click()
    assert saved.value.suggested_filename == "a street-mask.png"
    with Image.open(saved.value.path()) as mask:
        assert (mask.mode, mask.size) == ("P", (131, 97))
        assert mask.info["classes"].startswith("0 sky, 1 building")
        assert (np.asarray(mask) == wanted).mean() > 0.995  # the picture was made larger with other roundings
        assert "#{:02x}{:02x}{:02x}".format(*mask.getpalette()[:3]) == colour_of(page, "sky")
    counted = np.bincount(wanted.ravel(), minlength=11) / wanted.size
    first = metadata.classes[int(counted.argmax())]
    assert said.startswith(f"Mostly {first} ")
    assert way in said
    listed = dict(
        re.findall(r"(\w+)\s+<?\s*([\d.]+)\s%", page.locator(".result table").inner_text().replace("\n", " "))
    )
    for label, share in enumerate(counted):
        if share > 0.01:
            assert abs(float(listed[metadata.classes[label]]) / 100 - share) < 0.006, metadata.classes[label]
    with page.expect_download() as saved:
        page.get_by_role("button", name="picture and classes").click()
    with Image.open(saved.value.path()) as overlay:
        assert overlay.size == (131, 97)
    assert page.troubles == []


def test_a_worker_may_connect_to_nothing_and_ends_when_it_is_told(served):
    """It stands under its page's policy; what is stopped or overtaken says nothing more."""
    choose(served, file_of(scene()))
    (worker,) = served.workers
    sent = "fetch(new URL('/index.html', location.origin)).then(() => 'sent', () => 'refused')"
    assert worker.evaluate(sent) == "refused"
    served.locator(".scenes button").first.click()
    until(served, "document.querySelector('.working progress').value > 0", timeout=180)
    served.get_by_role("button", name="Stop").click()
    served.locator(".pw-finding", has_text="Stopped").wait_for(timeout=20_000)
    served.evaluate("for (const one of [...document.querySelectorAll('.scenes button')].slice(0, 2)) one.click()")
    served.locator(".pw-finding", has_text=ANSWERED).wait_for(timeout=WAIT)
    with served.expect_download() as saved:
        served.get_by_role("button", name="mask").click()
    assert saved.value.suggested_filename == "scene-2-mask.png"
    assert served.workers == [worker]


BROKEN = "globalThis.Worker = class extends Worker { constructor() { super(URL.createObjectURL(new Blob([%s]))); } };"
BAD_WORKERS = {
    "the policy forbids it": ("strict.html", ""),
    "there is none": ("index.html", "delete globalThis.Worker"),
    "its script breaks": ("index.html", BROKEN % "'throw new Error()'"),
    "it breaks when asked": ("index.html", BROKEN % "'onmessage = () => { throw new Error(); }'"),
    "it answers with a failure": (
        "index.html",
        BROKEN % "'onmessage = ({ data: { turn } }) => postMessage({ turn, failure: \"out of memory\" })'",
    ),
}


@pytest.mark.survives("A worker that fails on the photo page")
@pytest.mark.parametrize("kind", BAD_WORKERS)
def test_without_its_worker_the_page_does_the_work_and_says_so(visit, server, kind):
    name, before = BAD_WORKERS[kind]
    tab = visit(server + name, before)
    for _ in range(2):
        assert "in plain JavaScript, without the worker, which failed, the picture" in choose(tab, file_of(scene()))
    assert tab.workers == []
    tab.close()


def mask(tab):
    with tab.expect_download() as saved:
        tab.get_by_role("button", name="mask").click()
    with Image.open(saved.value.path()) as image:
        return np.asarray(image)


CHATTER = re.compile("software WebGL|GPU stall|GL Driver Message")  # Chromium's, where there is no graphics processor


def test_the_graphics_processor_is_asked_at_a_click_and_answers_the_same(page):
    choose(page, file_of(scene((97, 131))))
    plain = mask(page)
    before = list(page.asked)
    page.get_by_role("button", name="the graphics processor").click()
    both = re.compile(r"It took [\d.]+ s on the graphics processor, [\d.]+ s in plain JavaScript, the picture shown")
    page.locator(".pw-finding", has_text=both).wait_for(timeout=WAIT)
    assert [url.rpartition("/")[2] for url in page.asked[len(before) :]] == ["webgl.js"]
    assert (mask(page) == plain).mean() > 0.999
    assert page.locator(".maps figure").count() >= 4
    page.get_by_role("button", name="plain JavaScript").click()
    again = re.compile(r"It took [\d.]+ s in plain JavaScript, [\d.]+ s on the graphics processor, the picture shown")
    page.locator(".pw-finding", has_text=again).wait_for(timeout=WAIT)
    assert [line for line in page.troubles if not CHATTER.search(line)] == []
    page.troubles.clear()


GETS = (
    "const get = HTMLCanvasElement.prototype.getContext; HTMLCanvasElement.prototype.getContext = function (kind) {%s}"
)
BAD_PROCESSORS = {
    "there is none": (
        "it can't be used in this browser",
        GETS % "return kind === 'webgl2' ? null : get.call(this, kind);",
    ),
    "it draws no floats": ("it draws no floats", "WebGL2RenderingContext.prototype.getExtension = () => null;"),
    "it gives other numbers": (
        "it gives other numbers",
        "const read = WebGL2RenderingContext.prototype.readPixels; WebGL2RenderingContext.prototype.readPixels = "
        "function (...all) { read.apply(this, all); all[6][4] += 0.5; };",
    ),
    "it is lost": (
        "it was lost",
        "const draw = WebGL2RenderingContext.prototype.drawArrays; WebGL2RenderingContext.prototype.drawArrays = "
        "function (...all) { draw.apply(this, all); this.getExtension('WEBGL_lose_context').loseContext(); };",
    ),
}


@pytest.mark.survives("A graphics processor that fails on the photo page")
@pytest.mark.parametrize("kind", BAD_PROCESSORS)
def test_without_a_graphics_processor_the_engine_does_the_work_and_says_why(visit, folder, kind):
    why, before = BAD_PROCESSORS[kind]
    tab = visit((folder / "index.html").as_uri() + "#photo.by=graphics", before)
    said = choose(tab, file_of(scene()))
    assert re.search(r"It took [\d.]+ s in plain JavaScript, the picture shown at", said)
    assert f"The graphics processor was of no use ({why})." in said
    tab.close()


def colour_of(tab, name):
    swatch = tab.locator(".result tr", has=tab.get_by_text(name, exact=True)).locator(".swatch")
    style = swatch.evaluate("(one) => one.style.background")
    return "#{:02x}{:02x}{:02x}".format(*map(int, re.findall(r"\d+", style)))


def test_a_keyboard_reaches_class_switch_and_opacity(page):
    choose(page, file_of(scene()))
    canvas = page.locator(".result canvas")
    canvas.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    told = re.compile(r"^row (\d+), column (\d+): (\w+) [\d.]+\s%")
    spoken = page.locator(".pw-live .unseen[aria-live]", has_text=told)
    spoken.wait_for(state="attached", timeout=20_000)
    assert page.locator(".told").inner_text() == spoken.inner_text()
    row, column, name = told.match(spoken.inner_text()).groups()
    row, column = int(row) - 1, int(column) - 1
    page.locator("input[type=range]").fill("100")
    page.wait_for_timeout(200)
    assert "#{:02x}{:02x}{:02x}".format(*pixel(page, column, row)[:3]) == colour_of(page, name)
    switch = page.locator(".result tr", has=page.get_by_text(name, exact=True)).locator("input")
    switch.press("Space")
    page.wait_for_timeout(200)
    assert pixel(page, column, row)[:3] == scene()[:, row, column].tolist()
    switch.press("Space")
    page.locator("input[type=range]").fill("60")
    page.get_by_role("button", name="where it is unsure").press("Enter")
    page.wait_for_timeout(200)
    assert page.locator(".ramp").is_visible()
    page.get_by_role("button", name="its classes").press("Enter")
    page.locator("summary", has_text="way through").press("Enter")
    assert page.locator(".maps figure").count() >= 4
    assert page.troubles == []


def test_a_turned_picture_stands_upright_and_a_transparent_one_lies_on_white(page):
    wide = Image.new("RGB", (90, 60), (0, 0, 0))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    choose(page, file_of(wide, "JPEG", exif=exif))
    size = "() => { const { width, height } = document.querySelector('.result canvas'); return [width, height]; }"
    assert page.evaluate(size) == [60, 90]
    page.locator("input[type=range]").fill("0")
    choose(page, file_of(Image.new("RGBA", (40, 40), (255, 0, 0, 0))))
    page.wait_for_timeout(200)
    assert pixel(page, 5, 5) == [255, 255, 255, 255]
    assert page.troubles == []


BAD = {
    "HEIC": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99), "HEIC picture, as iPhones take them"),
    "empty": (b"", "The file is empty"),
    "text": (b"this is no picture at all", "no picture that the browser can read"),
    "half a PNG": (file_of(scene())["buffer"][:200], "damaged, incomplete, or too large"),
    "a PNG that claims to be huge": (
        file_of(scene())["buffer"][:16] + b"\x7f\xff\xff\xff\x7f\xff\xff\xff" + file_of(scene())["buffer"][24:],
        "damaged, incomplete, or too large",
    ),
}


@pytest.mark.survives("Pictures that no browser can show")
@pytest.mark.parametrize("kind", BAD)
def test_what_is_no_picture_gets_one_line(page, kind):
    content, line = BAD[kind]
    says = choose(page, {"name": "photo", "mimeType": "image/jpeg", "buffer": content}, re.compile(line))
    assert "\n" not in says
    assert not page.locator(".working").is_visible()


READ_ALL = """async ([source, texts]) => {
  const { decoded } = await import(source);
  const lines = [];
  for (const text of texts) {
    const file = new Blob([Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0))]);
    lines.push(await decoded(file).then(({ canvas }) => (canvas.width * canvas.height > 0 ? "" : "nothing"), String));
  }
  return lines;
}"""


@pytest.mark.survives("Damaged pictures on the photo page")
def test_a_damaged_picture_is_shown_or_refused_in_one_line(browser):
    """Bytes of files changed at random and ends cut off: each is read somehow, or refused in words of ours."""
    draw = random.Random(0)
    files = []
    for i, kind in enumerate(("PNG", "JPEG", "WEBP", "GIF", "BMP") * 8):
        content = bytearray(file_of(scene(), kind)["buffer"])
        for _ in range(draw.randint(1, 20)):
            content[draw.randrange(len(content))] = draw.randrange(256)
        end = draw.randint(len(content) // 2, len(content)) if i % 2 else len(content)
        files.append(base64.b64encode(content[:end]).decode())
    module = f"{sources.source('photo')}\nexport {{ decoded }};".encode()
    tab = browser.new_page()
    lines = tab.evaluate(READ_ALL, [f"data:text/javascript;base64,{base64.b64encode(module).decode()}", files])
    tab.close()
    ours = re.compile(r"(Error: (The picture is damaged|This is no picture|The file is empty)[^\n]*)?")
    assert [line for line in lines if not ours.fullmatch(line)] == []
    assert 0 < sum(map(bool, lines)) < len(lines)


@pytest.mark.parametrize("size", [(1, 1), (2, 900), (1600, 1500)])
def test_tiny_long_and_large_pictures_are_answered(page, size):
    image = np.random.default_rng(1).integers(0, 256, (3, *size), dtype=np.uint8)
    said = choose(page, file_of(image))
    assert ("It was made smaller first, from 1600 × 1500 to" in said) == (size == (1600, 1500))
    width, height = page.evaluate(
        "() => { const { width, height } = document.querySelector('.result canvas'); return [width, height]; }"
    )
    assert height * width <= 2_000_000
    assert page.troubles == []


GIVE = """([kind, text]) => {
  const content = Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));
  const file = new File([content], "given.png", { type: "image/png" });
  const data = new DataTransfer();
  if (text) data.items.add(file);
  const event = kind === "paste"
    ? new ClipboardEvent("paste", { clipboardData: data, bubbles: true })
    : new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
  (kind === "paste" ? document : document.querySelector(".intake")).dispatchEvent(event);
}"""


@pytest.mark.parametrize("kind", ["paste", "drop"])
def test_a_picture_is_taken_that_is_pasted_or_dropped(page, kind):
    page.evaluate("document.querySelector('.pw-finding').textContent = ''")
    page.evaluate(GIVE, [kind, base64.b64encode(file_of(scene())["buffer"]).decode()])
    page.locator(".pw-finding", has_text=ANSWERED).wait_for(timeout=WAIT)
    assert page.troubles == []


def test_what_is_dropped_and_no_file_is_not_fetched(page):
    page.evaluate(GIVE, ["drop", ""])
    page.locator(".pw-finding", has_text="would have to be fetched").wait_for(timeout=20_000)


def test_the_camera_gives_a_picture_and_is_let_go(page):
    page.evaluate(
        """() => {
          const canvas = document.createElement("canvas");
          [canvas.width, canvas.height] = [64, 48];
          const pen = canvas.getContext("2d");
          setInterval(() => pen.fillRect(0, 0, 64, 48), 30);
          globalThis.stream = canvas.captureStream();
          navigator.mediaDevices.getUserMedia = async () => globalThis.stream;
        }"""
    )
    page.evaluate("document.querySelector('.pw-finding').textContent = ''")
    page.get_by_role("button", name="Use the camera").click()
    page.locator("video").evaluate(
        "(video) => new Promise((go) => video.videoWidth ? go() : video.addEventListener('resize', () => go()))"
    )
    page.get_by_role("button", name="Take the picture").click()
    page.locator(".pw-finding", has_text=ANSWERED).wait_for(timeout=WAIT)
    assert page.evaluate("globalThis.stream.getTracks().every((track) => track.readyState === 'ended')")
    page.evaluate(
        "void (navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotAllowedError')))"
    )
    page.get_by_role("button", name="Use the camera").click()
    page.locator(".pw-finding", has_text="The camera can't be used (NotAllowedError)").wait_for(timeout=20_000)
    assert not page.locator("video").is_visible()


def test_a_network_that_does_not_come_is_named_and_asked_for_again(open_live):
    tab = open_live(explorables.Photo(folder="nowhere/"))
    tab.locator(".scenes button").first.click()
    tab.locator(".pw-finding", has_text="The network's file did not come").wait_for(timeout=20_000)
    assert not tab.locator(".working").is_visible()


def test_in_a_notebook_the_network_comes_from_the_kernel():
    figure = explorables.Photo()
    assert figure.network == ""
    figure.widget.wanted = "streets"
    assert figure.widget.network == f"streets\n{photo.text_of('streets')}"
    figure.widget.wanted = "../../etc/passwd"
    assert figure.widget.network.startswith("streets\n")


def test_other_pages_carry_nothing_of_it():
    every = bundle.bundle()
    assert not re.search("createImageBitmap|new Worker|webgl", every)
    assert "createImageBitmap" in bundle.bundle("photo")
    assert len(bundle.bundle("photo").encode()) <= 62_000
