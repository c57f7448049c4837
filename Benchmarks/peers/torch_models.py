"""The training steps as a PyTorch user writes them, eager or compiled."""

import torch
import torch.nn as nn
import torch.nn.functional as F

from models import LEARNING_RATE, MOMENTUM, MOMENTUM_MODELS, RESNET_STAGES, TRANSFORMERS, batch


def step(name, count, compiles):
    """A function that does a step and gives its loss."""
    examples, labels = (torch.from_numpy(part) for part in batch(name, count))
    model = build(name)
    parameters = model.parameters()
    optimizer = (
        torch.optim.SGD(parameters, LEARNING_RATE, momentum=MOMENTUM) if name in MOMENTUM_MODELS
        else torch.optim.Adam(parameters, LEARNING_RATE))
    forward = torch.compile(model) if compiles else model

    def run():
        optimizer.zero_grad(set_to_none=True)
        scores = forward(examples)
        loss = F.cross_entropy(scores.flatten(0, -2), labels.flatten())
        loss.backward()
        optimizer.step()
        return loss.item()
    return run


def build(name):
    if name in TRANSFORMERS:
        return Transformer(TRANSFORMERS[name])
    if name == "resnet18":
        return resnet()
    if name == "lenet":
        return nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2),
            nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2), nn.Flatten(),
            nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10))
    return nn.Sequential(
        nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, 10))


def normalized(inputs, outputs, size, stride):
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False), nn.BatchNorm2d(outputs))


def resnet():
    layers = [normalized(3, 64, 3, 1), nn.ReLU()]
    channels = 64
    for width, stride in RESNET_STAGES:
        layers.append(ResidualBlock(channels, width, stride))
        channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 10))


class ResidualBlock(nn.Module):
    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.first = normalized(inputs, outputs, 3, stride)
        self.second = normalized(outputs, outputs, 3, 1)
        self.shortcut = nn.Identity() if inputs == outputs else normalized(inputs, outputs, 1, stride)

    def forward(self, x):
        return F.relu(self.second(F.relu(self.first(x))) + self.shortcut(x))


class Attention(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.heads, self.causal = size.heads, size.causal
        self.projections = nn.Linear(size.width, 3 * size.width)
        self.result = nn.Linear(size.width, size.width)

    def forward(self, x):
        count, length, width = x.shape
        parts = self.projections(x).view(count, length, 3, self.heads, width // self.heads)
        queries, keys, values = parts.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(queries, keys, values, is_causal=self.causal)
        return self.result(mixed.transpose(1, 2).reshape(count, length, width))


class Block(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.attention = nn.Sequential(nn.LayerNorm(size.width), Attention(size))
        self.dense = nn.Sequential(
            nn.LayerNorm(size.width), nn.Linear(size.width, 4 * size.width), nn.GELU(),
            nn.Linear(4 * size.width, size.width))

    def forward(self, x):
        x = x + self.attention(x)
        return x + self.dense(x)


class Transformer(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.tokens = nn.Embedding(size.vocabulary, size.width)
        self.positions = nn.Parameter(0.02 * torch.randn(size.length, size.width))
        self.blocks = nn.Sequential(*(Block(size) for _ in range(size.blocks)))
        self.scores = nn.Sequential(nn.LayerNorm(size.width), nn.Linear(size.width, size.vocabulary))

    def forward(self, tokens):
        return self.scores(self.blocks(self.tokens(tokens) + self.positions))
