"""Make the ONNX files that the import is tested on, with what their own libraries give for a few inputs.

Run by hand, with PyTorch, ONNX Script, scikit-learn and skl2onnx installed; the package itself needs none of them::

    python tests/freezing/golden/make_onnx_files.py

Each ``NAME.onnx`` comes with ``NAME.npz``: ``input`` and, under the name of each output of the graph, what PyTorch or
scikit-learn gave.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from skl2onnx import to_onnx
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.nn import functional

FOLDER = Path(__file__).parent
N_SAMPLES = 32


class Mlp(nn.Sequential):
    def __init__(self):
        super().__init__(
            nn.Linear(N_SAMPLES, 12), nn.ReLU(), nn.Dropout(0.2), nn.Linear(12, 8), nn.GELU(), nn.Linear(8, 2)
        )


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv1d(1, 6, 5, padding=2), nn.BatchNorm1d(6), nn.ReLU(), nn.MaxPool1d(2))
        self.second = nn.Sequential(nn.Conv1d(6, 8, 3, stride=2), nn.BatchNorm1d(8), nn.LeakyReLU(0.1))
        self.head = nn.Linear(8 * 7, 2)

    def forward(self, x):
        x = self.second(self.first(x))
        return functional.softmax(self.head(x.view(x.size(0), -1)), dim=1)


class Residual(nn.Module):
    """Residual blocks, squeeze and excite, depthwise convolution, global pooling, one sigmoid."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv1d(1, 8, 7, stride=2, padding=3)
        self.norm = nn.BatchNorm1d(8)
        self.deep = nn.Conv1d(8, 8, 3, padding=1, groups=8)
        self.point = nn.Conv1d(8, 8, 1)
        self.squeeze = nn.Linear(8, 4)
        self.excite = nn.Linear(4, 8)
        self.slope = nn.PReLU(8)
        self.head = nn.Linear(8, 1)

    def forward(self, x):
        x = functional.max_pool1d(functional.silu(self.norm(self.stem(x))), 3, stride=2, padding=1)
        y = self.slope(self.point(self.deep(x)))
        gate = torch.sigmoid(self.excite(functional.hardswish(self.squeeze(y.mean(dim=2)))))
        x = functional.relu(x + y * gate.unsqueeze(-1))
        return torch.sigmoid(self.head(functional.adaptive_avg_pool1d(x, 1).squeeze(-1)))


class Recurrent(nn.Module):
    def __init__(self, kind, *, bidirectional, layers=1, last="step"):
        super().__init__()
        self.rnn = kind(1, 6, num_layers=layers, batch_first=True, bidirectional=bidirectional)
        self.head = nn.Linear(6 * (2 if bidirectional else 1), 2)
        self.last = last

    def forward(self, x):
        sequence, state = self.rnn(x.transpose(1, 2))
        if self.last == "step":
            return self.head(sequence[:, -1, :])
        if self.last == "mean":
            return self.head(sequence.mean(1))
        state = state[0] if isinstance(state, tuple) else state
        return self.head(torch.cat((state[-2], state[-1]), dim=1) if self.rnn.bidirectional else state[-1])


class AutoEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encode = nn.Sequential(
            nn.Conv1d(1, 4, 4, stride=2, padding=1), nn.ELU(), nn.Conv1d(4, 2, 4, stride=2, padding=1)
        )
        self.decode = nn.Sequential(
            nn.ConvTranspose1d(2, 4, 4, stride=2, padding=1),
            nn.Mish(),
            nn.ConvTranspose1d(4, 1, 3, stride=2, padding=1, output_padding=1),
        )

    def forward(self, x):
        return self.decode(self.encode(x))


class Normed(nn.Module):
    """Layer normalisation, tanh GELU, average pooling, padding, slices, concatenation."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(4, 8)
        self.norm = nn.LayerNorm(8)
        self.mix = nn.Linear(8, 8)
        self.pool = nn.AvgPool1d(3, stride=2, padding=1)
        self.head = nn.Linear(16, 3)

    def forward(self, x):
        x = self.embed(x.reshape(x.shape[0], 8, 4))
        x = x + functional.gelu(self.mix(self.norm(x)), approximate="tanh")
        x = self.pool(functional.pad(x.transpose(1, 2), (1, 0)))
        both = torch.cat((x.amax(dim=2), x[:, :, 1:].mean(dim=2)), dim=1)
        return functional.log_softmax(self.head(both), dim=-1)


def save(name, model, shape, *, opset=17, dynamo=False, batch="free", output="scores"):
    torch.manual_seed(sum(map(ord, name)))
    model = model()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2.0)
    model.eval()
    values = torch.randn(1 if batch == 1 else 5, *shape)
    path = FOLDER / f"{name}.onnx"
    free = {}
    if batch == "free":
        free = (
            {"dynamic_shapes": ({0: torch.export.Dim("batch")},)}
            if dynamo
            else {"dynamic_axes": {"pulse": {0: "batch"}, output: {0: "batch"}}}
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model,
            (values,),
            path,
            input_names=["pulse"],
            output_names=[output],
            opset_version=opset,
            dynamo=dynamo,
            external_data=False,
            **free,
        )
    strip(path)
    with torch.no_grad():
        np.savez(FOLDER / f"{name}.npz", input=values.numpy(), **{output: model(values).numpy()})


def strip(path):
    """Take out what the exporter notes of the source code, with its paths."""
    model = onnx.load(path)
    for node in model.graph.node:
        node.ClearField("metadata_props")
        node.ClearField("doc_string")
    for values in (model.graph.input, model.graph.output, model.graph.initializer):
        for each in values:
            each.ClearField("metadata_props")
    model.graph.ClearField("value_info")
    model.graph.ClearField("metadata_props")
    model.ClearField("metadata_props")
    onnx.save(model, path)


def save_sklearn(name, model, *, labels):
    rng = np.random.default_rng(5)
    values = rng.normal(size=(200, N_SAMPLES)).astype(np.float32)
    wanted = labels[(values[:, :4].sum(axis=1) > 0).astype(int) + (len(labels) > 2) * (values[:, 4] > 1)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(values, wanted)
    onnx.save(to_onnx(model, values[:1], target_opset=15), FOLDER / f"{name}.onnx")
    np.savez(FOLDER / f"{name}.npz", input=values[:5], probabilities=model.predict_proba(values[:5]))


def main():
    save("torch_mlp", Mlp, (N_SAMPLES,), opset=13)
    save("torch_mlp_dynamo", Mlp, (N_SAMPLES,), opset=18, dynamo=True)
    save("torch_mlp_opset20", Mlp, (N_SAMPLES,), opset=20)
    save("torch_cnn", Cnn, (1, N_SAMPLES), opset=11)
    save("torch_cnn_opset7", Cnn, (1, N_SAMPLES), opset=7, batch=1)
    save("torch_cnn_dynamo", Cnn, (1, N_SAMPLES), opset=18, dynamo=True)
    save("torch_residual", Residual, (1, N_SAMPLES))
    save("torch_residual_dynamo", Residual, (1, N_SAMPLES), opset=18, dynamo=True)
    save("torch_lstm", lambda: Recurrent(nn.LSTM, bidirectional=False), (1, N_SAMPLES), opset=14)
    save("torch_lstm_both_ways", lambda: Recurrent(nn.LSTM, bidirectional=True, layers=2, last="mean"), (1, N_SAMPLES))
    save("torch_gru_both_ways", lambda: Recurrent(nn.GRU, bidirectional=True, last="state"), (1, N_SAMPLES))
    save("torch_gru_deep", lambda: Recurrent(nn.GRU, bidirectional=False, layers=2, last="state"), (1, N_SAMPLES))
    save("torch_rnn", lambda: Recurrent(nn.RNN, bidirectional=False), (1, N_SAMPLES), opset=12, batch=1)
    save("torch_lstm_dynamo", lambda: Recurrent(nn.LSTM, bidirectional=True), (1, N_SAMPLES), opset=18, dynamo=True)
    save("torch_autoencoder", AutoEncoder, (1, N_SAMPLES), output="waveform")
    save("torch_normed", Normed, (N_SAMPLES,))
    save("torch_normed_dynamo", Normed, (N_SAMPLES,), opset=20, dynamo=True)
    two, three = np.array(["gamma", "neutron"]), np.array(["gamma", "neutron", "noise"])
    small = {"hidden_layer_sizes": (8,), "max_iter": 30, "random_state": 0}
    save_sklearn("sklearn_mlp", make_pipeline(StandardScaler(), MLPClassifier(**small)), labels=two)
    save_sklearn("sklearn_mlp_three", MLPClassifier(activation="tanh", **small), labels=three)
    save_sklearn("sklearn_logistic", make_pipeline(StandardScaler(), LogisticRegression()), labels=two)
    save_sklearn("sklearn_logistic_three", LogisticRegression(), labels=three)


if __name__ == "__main__":
    main()
