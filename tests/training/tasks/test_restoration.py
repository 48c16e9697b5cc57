"""Test which networks, prompts and targets restoration trains."""

from __future__ import annotations

import pytest
import torch

from dgsr.training.loop.sample import Sample
from tests.small_run import make_data, make_module, make_trainer


def test_step_changes_both_networks_but_no_frozen_tensor() -> None:
    module = make_module(1, trainable="adapter")
    before = {name: p.detach().clone() for name, p in module.named_parameters()}
    make_trainer().fit(module, make_data())
    trained = {name for name, p in module.network.named_parameters(prefix="network") if p.requires_grad}
    changed = {name for name, p in module.named_parameters() if not torch.equal(p, before[name])}
    assert changed <= trained | {name for name in before if name.startswith("critic_modules.")}
    assert any(name.startswith("network.") for name in changed)
    assert any(name.startswith("critic_modules.") for name in changed)


def test_training_with_sampled_posterior() -> None:
    module = make_module(1, adversarial=False, posterior="sample")
    make_trainer().fit(module, make_data())
    assert module.step == 1


@pytest.mark.parametrize("update", ["joint", "alternating"])
def test_sampled_posterior_does_not_depend_on_micro_batches(update: str) -> None:
    result = []
    for micro_batch in (1, 2, 4):
        module = make_module(1, update, adversarial=False, micro_batch=micro_batch, posterior="sample")
        make_trainer(precision="64-true").fit(module, make_data(global_batch=4))
        result.append(torch.cat([tensor.flatten() for tensor in module.generator.trainable_state().values()]))
    for other in result[1:]:
        torch.testing.assert_close(other, result[0], rtol=0, atol=1e-6)


def _sample(count: int) -> Sample:
    images = torch.rand(2, count, 3, 16, 16) * 2 - 1
    return Sample(images[0], images[1], torch.rand(count, 2), torch.arange(count))


@pytest.mark.parametrize("negative_prob", [0.0, 0.5, 1.0])
def test_negative_samples_have_negative_prompt_and_degraded_target(negative_prob: float) -> None:
    module, sample = make_module(negative_prob=negative_prob), _sample(16)
    request, prompts = module.draw_request(sample), module.network.prompts
    assert request.is_negative.float().mean() == pytest.approx(negative_prob, abs=0.25)
    for index, is_negative in enumerate(request.is_negative.tolist()):
        assert torch.equal(request.target[index], (sample.lq_up if is_negative else sample.hq)[index])
        assert torch.equal(request.prompt[index], (prompts.negative if is_negative else prompts.positive)[0])


def test_oracle_uses_true_strengths_where_known() -> None:
    module = make_module()
    lq, truth = torch.rand(2, 3, 16, 16), torch.tensor([[0.9, 0.1], [torch.nan, torch.nan]])
    read = module.scores_of({"lq": lq, "truth": truth})
    torch.testing.assert_close(read, module.estimator(lq))
    module.scores = "oracle"
    assert torch.equal(module.scores_of({"lq": lq, "truth": truth}), torch.stack([truth[0], read[1]]))
