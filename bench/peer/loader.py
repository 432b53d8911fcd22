# Batches of generated images as PyTorch's users load them: torchvision's transforms, image by image, and a DataLoader.
import time
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

STEPS = 12


class Images(Dataset):
    """As torchvision's MNIST: bytes, an image made of them, its transform."""

    def __init__(self, count, size, classes, transform):
        self.data = torch.randint(0, 256, (count, size, size), dtype=torch.uint8)
        self.targets = torch.randint(0, classes, (count,))
        self.transform = transform

    def __len__(self):
        return len(self.data)

    def __getitem__(self, i):
        return self.transform(Image.fromarray(self.data[i].numpy(), mode="L")), int(self.targets[i])


def transform(row):
    normalized = [transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))]
    if row == "mnist-cnn":
        return transforms.Compose(normalized)
    # One affine map of the grey image as ours is, then three channels of it.
    turned = transforms.RandomAffine(10, shear=5)
    return transforms.Compose([turned, *normalized, transforms.Lambda(lambda image: image.repeat(3, 1, 1))])


def endless(loader):
    while True:
        yield from loader


def fastest(row, x, classes, count, threads, step):
    """Batches like x from a data set of so many images, loaded in the training process or by workers, whichever steps are faster with."""
    data = Images(count, x.shape[-1], classes, transform(row))
    tried = []
    for workers in (0, threads):
        loader = DataLoader(data, batch_size=len(x), shuffle=True, num_workers=workers, persistent_workers=workers > 0)
        batches = endless(loader)
        # Workers have begun, and have no more in advance than they will have.
        for _ in range(2 * threads + 2):
            step(*next(batches))
        start = time.perf_counter()
        for _ in range(STEPS):
            step(*next(batches))
        tried.append((time.perf_counter() - start, workers, batches))
    _, workers, batches = min(tried, key=lambda each: each[0])
    return batches, f"DataLoader with {workers} workers"
