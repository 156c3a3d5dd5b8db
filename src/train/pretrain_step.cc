#include "train/pretrain_step.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

#include "data/random.h"
#include "train/mixed_precision.h"
#include "train/pretrain_losses.h"

namespace tagclip {

PretrainStep::PretrainStep(const PretrainConfig& config, Clip& clip)
    : config_(config), clip_(clip) {
  const auto add = [&](const char* name) {
    return ParameterScope(temperatures_).add(name, {}, constant(std::log(1 / 0.07)));
  };
  if (config.loss.names > 0) names_scale_ = add("names_logit_scale");
  if (config.loss.labels > 0) labels_scale_ = add("labels_logit_scale");
  at::Generator generator = at::detail::createCPUGenerator(config.seed);  // draws nothing
  temperatures_.initialise(generator);
  temperatures_.to(clip.logit_scale.device());
  const auto all = [](const std::string&) { return true; };
  temperatures_.set_trained(all);
  clip_.parameters.set_trained(all);
}

std::vector<Parameter> PretrainStep::parameters() const {
  std::vector<Parameter> list = clip_.parameters.all();
  list.insert(list.end(), temperatures_.all().begin(), temperatures_.all().end());
  return list;
}

void PretrainStep::limit_temperatures() {
  const at::NoGradGuard no_grad;
  for (at::Tensor* scale : {&clip_.logit_scale, &names_scale_, &labels_scale_}) {
    if (scale->defined()) scale->clamp_(0, std::log(100.0));
  }
}

std::vector<at::Tensor> PretrainStep::encode_photos(const PretrainBatch& batch,
                                                    const at::Tensor& kept, int64_t begin,
                                                    int64_t end) const {
  const VisionTower& tower = clip_.visual;
  const AutocastGuard autocast(config_.precision == ComputePrecision::kBFloat16,
                               tower.proj.device().type());
  at::Tensor x = tower.embed(batch.pixels.narrow(0, begin, end - begin));  // [b, 1 + n, D]
  if (kept.defined()) x = gather_rows(x, kept.narrow(0, begin, end - begin));
  for (const ResidualBlock& block : tower.transformer.resblocks) x = block(x, /*causal=*/false);
  const auto project = [&](const at::Tensor& tokens) {
    return tower.ln_post(tokens).matmul(tower.proj).to(at::kFloat);
  };
  std::vector<at::Tensor> outputs = {project(x.select(1, 0))};
  if (batch.labelled.empty()) return outputs;
  std::vector<int64_t> rows;
  for (const int64_t slot : batch.labelled) {
    if (slot >= begin && slot < end) rows.push_back(slot - begin);
  }
  const at::Tensor index = at::tensor(rows, at::kLong).to(x.device());
  outputs.push_back(project(x.narrow(1, 1, x.size(1) - 1).index_select(0, index)));
  return outputs;
}

at::Tensor PretrainStep::encode_texts(const at::Tensor& tokens) const {
  const AutocastGuard autocast(config_.precision == ComputePrecision::kBFloat16,
                               tokens.device().type());
  return clip_.text.encode(tokens).to(at::kFloat);
}

std::vector<PretrainStep::Input> PretrainStep::inputs(const PretrainBatch& batch,
                                                      const at::Tensor& kept) const {
  std::vector<Input> list = {
      {batch.pixels.size(0),
       [&, kept](int64_t begin, int64_t end) { return encode_photos(batch, kept, begin, end); },
       {&Embeddings::images}}};
  if (!batch.labelled.empty()) list[0].outputs.push_back(&Embeddings::patches);
  const auto add_texts = [&](const at::Tensor& tokens, at::Tensor Embeddings::* output) {
    if (!tokens.defined()) return;
    list.push_back({tokens.size(0),
                    [this, tokens](int64_t begin, int64_t end) {
                      return std::vector{encode_texts(tokens.narrow(0, begin, end - begin))};
                    },
                    {output}});
  };
  add_texts(batch.captions, &Embeddings::captions);
  add_texts(batch.words, &Embeddings::words);
  return list;
}

PretrainStep::Embeddings PretrainStep::encode_all(const std::vector<Input>& inputs) const {
  Embeddings all;
  for (const Input& input : inputs) {
    const int64_t chunk = config_.gradient_chunk > 0 ? config_.gradient_chunk : input.size;
    std::vector<std::vector<at::Tensor>> parts(input.outputs.size());
    for (int64_t begin = 0; begin < input.size; begin += chunk) {
      const std::vector<at::Tensor> part = input.encode(begin, std::min(begin + chunk, input.size));
      for (size_t i = 0; i < part.size(); ++i) parts[i].push_back(part[i]);
    }
    for (size_t i = 0; i < parts.size(); ++i) {
      all.*input.outputs[i] = parts[i].size() == 1 ? parts[i][0] : at::cat(parts[i]);
    }
  }
  return all;
}

void PretrainStep::backward_in_chunks(const std::vector<Input>& inputs,
                                      const Embeddings& all) const {
  for (const Input& input : inputs) {
    std::vector<int64_t> done(input.outputs.size());  // rows of each output
    for (int64_t begin = 0; begin < input.size; begin += config_.gradient_chunk) {
      const std::vector<at::Tensor> part =
          input.encode(begin, std::min(begin + config_.gradient_chunk, input.size));
      at::Tensor product;  // its gradients are those that the losses have
      for (size_t i = 0; i < part.size(); ++i) {
        const at::Tensor& gradient = (all.*input.outputs[i]).grad();
        if (!gradient.defined() || part[i].size(0) == 0) continue;
        const at::Tensor sum = (part[i] * gradient.narrow(0, done[i], part[i].size(0))).sum();
        product = product.defined() ? product + sum : sum;
        done[i] += part[i].size(0);
      }
      if (product.defined()) product.backward();
    }
  }
}

at::Tensor PretrainStep::label_term(const Embeddings& all, const PretrainBatch& batch,
                                    const at::Tensor& kept) const {
  at::Tensor sum, labelled;  // labelled: in patches
  for (const LabelledPatches& set : batch.sets) {
    at::Tensor targets = set.targets;
    if (kept.defined()) {
      const at::Tensor slots = at::tensor(batch.labelled, at::kLong).to(targets.device());
      const at::Tensor own = kept.index_select(0, slots.index_select(0, set.rows));
      targets = gather_rows(targets, own.narrow(1, 1, own.size(1) - 1) - 1);
    }
    const at::Tensor part =
        patch_label_sum(all.patches.index_select(0, set.rows), all.words.index_select(0, set.words),
                        labels_scale_.exp(), targets, set.priors);
    sum = sum.defined() ? sum + part : part;
    labelled = labelled.defined() ? labelled + targets.sum() : targets.sum();
  }
  return sum / labelled.clamp_min(1);
}

PretrainStep::Terms PretrainStep::terms(const Embeddings& all, const PretrainBatch& batch,
                                        const at::Tensor& kept) const {
  Terms terms;
  const bool every = batch.captioned.defined() && batch.captioned.size(0) == all.images.size(0);
  if (all.captions.defined()) {
    terms.contrastive =
        contrastive_loss(every ? all.images : all.images.index_select(0, batch.captioned),
                         all.captions, clip_.logit_scale.exp(), batch.matches);
  }
  if (batch.named.defined()) {
    terms.names =
        names_loss(all.images.index_select(0, batch.named), all.words.index_select(0, batch.names),
                   names_scale_.exp(), batch.name_targets);
  }
  if (!batch.sets.empty()) terms.labels = label_term(all, batch, kept);
  return terms;
}

PretrainLosses PretrainStep::compute_gradients(const PretrainBatch& batch, int64_t step) const {
  const int64_t B = batch.pixels.size(0), grid = batch.pixels.size(2) / config_.clip.patch;
  at::Tensor kept = draw_kept_tokens(
      B, grid * grid, config_.kept_share(step),
      at::detail::createCPUGenerator(sample_random(config_.seed, step, config_.batch)()));
  if (kept.defined()) kept = kept.to(batch.pixels.device());

  const bool in_chunks = config_.gradient_chunk > 0;
  const std::vector<Input> parts = inputs(batch, kept);
  Embeddings all;
  {
    const at::AutoGradMode with_graph(!in_chunks);
    all = encode_all(parts);
  }
  if (in_chunks) {
    for (at::Tensor* output : {&all.images, &all.patches, &all.captions, &all.words}) {
      if (output->defined()) output->requires_grad_();
    }
  }
  const Terms found = terms(all, batch, kept);
  PretrainLosses losses;
  at::Tensor total;
  const auto add = [&](const at::Tensor& term, double weight, std::optional<double>& value) {
    if (!term.defined()) return;
    value = term.item<double>();
    losses.total += weight * *value;
    // A weight of 1 leaves a sum of one term what it is.
    const at::Tensor weighted = weight == 1 ? term : weight * term;
    total = total.defined() ? total + weighted : weighted;
  };
  add(found.contrastive, config_.loss.contrastive, losses.contrastive);
  add(found.names, config_.loss.names, losses.names);
  add(found.labels, config_.loss.labels, losses.labels);
  if (!std::isfinite(losses.total)) return losses;
  total.backward();
  if (in_chunks) backward_in_chunks(parts, all);
  return losses;
}

}  // namespace tagclip
