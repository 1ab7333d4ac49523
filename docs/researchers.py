# ruff: noqa: T201
"""Personalization on arrays: any features, any encoder, one method after another.

Run it from top to bottom (python docs/researchers.py PHOTOS_DIR), or cell by cell (`# %%`) in an editor that
knows them. The folder holds one folder of photos per thing, such as dog__Biscuit/*.jpg.
"""

# %% An encoder gives unit vectors of pictures and texts in one space.
import sys
from pathlib import Path

import numpy as np

from thisismy.encoders import load_encoder
from thisismy.media.photos import read_photo
from thisismy.personalization import NamedInstance, leave_one_out, look_alikes, make_method, save_vocabulary
from thisismy.personalization.attributes import described_things
from thisismy.personalization.meta.category_features import MetaArguments, meta_train

encoder = load_encoder("embedded")
folders = sorted(p for p in Path(sys.argv[1]).iterdir() if p.is_dir())
photos = {
    folder.name: encoder.encode_images(
        [read_photo(path, encoder.image_size) for path in sorted(folder.glob("*.jpg"))]
    )
    for folder in folders
}
print(encoder.id, {name: rows.shape for name, rows in photos.items()})

# %% An instance is a name, a category, and rows. Half of the photos are to be found again.
instances = [
    NamedInstance(f"my {name.split('__')[-1]}", name.split("__")[0].replace("_", " "), rows[: len(rows) // 2])
    for name, rows in photos.items()
]
gallery = np.concatenate([rows[len(rows) // 2 :] for rows in photos.values()])
shown = np.repeat(np.arange(len(instances)), [len(rows) - len(rows) // 2 for rows in photos.values()])
negatives = np.zeros((0, encoder.embed_dim), np.float32)

# %% Every method has the same two steps: fit, then score a prompt in which * stands for the name.
for name, arguments in (
    ("clip-visual", {}),
    ("product", {}),
    ("prototype-context", {}),
    ("meta-tokens", {"epochs": 10}),
):
    vocabulary = make_method(name, arguments).fit(instances, negatives, encoder, seed=0)
    first = [shown[vocabulary.score("An image of *", i.name, gallery).argmax()] for i in instances]
    print(f"{name:17} right at rank 1: {np.mean(np.equal(first, np.arange(len(instances)))):.0%}")

# %% What things of a category have in common, learned from phrases alone; words then start from it.
things = described_things(encoder, [instance.category for instance in instances], count=16)
features = meta_train(things, negatives, encoder, MetaArguments(rounds=1, epochs=5, batch=64))
features.save(Path("categories.safetensors"))
method = make_method("meta-tokens", {"category_features": "categories.safetensors", "epochs": 10})
vocabulary = method.fit(instances, negatives, encoder)
print(len(things), features.history[-1], vocabulary.compile("* in the grass", instances[0].name).probes.shape)

# %% What the instance and the context brought to each row, and the cut-off below which it is another thing.
vocabulary = make_method("prototype-context").fit(instances, negatives, encoder)
parts = vocabulary.explain("* in the grass", instances[0].name, gallery)
print(np.round(parts.instance, 2), np.round(parts.context, 2), vocabulary.threshold(instances[0].name))

# %% How well each can be found again, who looks alike, and the file to keep.
for left in leave_one_out(make_method("prototype-context"), instances, negatives, encoder):
    print(left)
print(*look_alikes(instances, encoder), sep="\n")
save_vocabulary(vocabulary, Path("concepts.safetensors"))
