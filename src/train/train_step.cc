#include "train/train_step.h"

#include <ATen/core/grad_mode.h>

#include <cmath>
#include <random>

#include "data/random.h"
#include "model/losses.h"

namespace tagclip {
namespace {

std::vector<Parameter> trained_parameters(SegmentationModel& model) {
  model.set_trained();
  return model.parameters.trained();
}

}  // namespace

at::Generator dropout_generator(at::Device device) {
  return device.is_cpu() ? at::detail::createCPUGenerator()
                         : at::globalContext().defaultGenerator(device).clone();
}

void seed_dropout(at::Generator& generator, int64_t seed, int64_t iteration) {
  constexpr int64_t kDropoutSlot = -2;  // samples have slots from 0
  generator.set_current_seed(sample_random(seed, iteration, kDropoutSlot)());
}

ParameterCounts count_parameters(const ParameterList& parameters) {
  ParameterCounts counts{.all = parameters.count()};
  for (const Parameter& parameter : parameters.trained())
    counts.trained += parameter.tensor.numel();
  return counts;
}

bool TrainReport::finite() const { return std::isfinite(total) && std::isfinite(gradient_norm); }

TrainStep::TrainStep(SegmentationModel& model, const TrainConfig& config, const World& world,
                     Launch launch)
    : model_(model),
      config_(config),
      world_(world),
      launch_(launch),
      optimizer_(trained_parameters(model), config.optimizer),
      generator_(dropout_generator(model.device())) {}

bool TrainStep::uses_cuda_graph() const {
  return launch_ == Launch::kCudaGraph && world_.is_single() && model_.device().is_cuda() &&
         config_.data.folders.size() <= 1;
}

// Both graphs are captured anew: the update reads the gradients where the other graph leaves them.
void TrainStep::start_graphs() {
  update_graph_ = CudaGraph(model_.device());
  gradients_graph_ = CudaGraph(model_.device(), {generator_});
}

TrainReport TrainStep::compute(const StepInput& input, int64_t iteration) {
  seed_dropout(generator_, config_.seed, iteration);
  if (uses_cuda_graph()) {
    if (!static_input_.copy_from(input)) start_graphs();
    gradients_graph_([this] { compute_gradients(static_input_.get()); });
  } else {
    compute_gradients(input);
  }
  TrainReport result = report();
  result.iteration = iteration + 1;
  result.lr = learning_rate(config_.schedule, config_.optimizer.lr, iteration);
  return result;
}

void TrainStep::update(int64_t iteration) {
  optimizer_.set_learning_rate(learning_rate(config_.schedule, config_.optimizer.lr, iteration));
  update_graph_([this] { optimizer_.step(); });
}

// Must not make the host wait for the device: a CUDA graph captures it.
void TrainStep::compute_gradients(const StepInput& input) {
  optimizer_.zero_grad();
  const MaskLogits logits = forward(input);
  const Targets targets = label_hidden(input, logits);
  const Losses losses =
      segmentation_losses(logits, targets, masks_per_rank(targets.labels, logits.classes.size(1)),
                          model_.config.protocol, config_.loss);
  losses.total().backward();
  average_gradients();
  values_ = values_of(losses);
}

MaskLogits TrainStep::forward(const StepInput& input) {
  const BatchShare share{world_.rank(), world_.size()};
  const Dropout prompts(config_.prompt_dropout, generator_, share),
      decoder(config_.decoder_dropout, generator_, share);
  const bool mixed = config_.precision == ComputePrecision::kBFloat16;
  MaskLogits logits;
  {
    AutocastGuard autocast(mixed, model_.device().type());
    logits = model_.head(model_.encoder(input.pixels, prompts), input.text, decoder);
  }
  for (at::Tensor* part : {&logits.classes, &logits.trusty, &logits.presence}) {
    if (part->defined()) *part = part->to(at::kFloat);
  }
  return logits;
}

Targets TrainStep::label_hidden(const StepInput& input, const MaskLogits& logits) const {
  if (!input.pseudo.defined()) return input.targets;
  const at::NoGradGuard no_grad;
  return {self_training_labels(logits.classes.detach(), input.targets.labels, input.pseudo),
          input.targets.seen_mask};
}

// num_masks is averaged over the ranks, so that the mean of their losses is the whole batch's.
at::Tensor TrainStep::masks_per_rank(const at::Tensor& labels, int64_t classes) const {
  at::Tensor masks = count_masks(labels, classes);
  if (world_.is_single()) return masks;
  return at::scalar_tensor(world_.all_reduce_sum(masks.item<double>()) /
                           static_cast<double>(world_.size()));
}

// All gradients are summed in a single all-reduce: a separate one for each would wait for the
// network each time.
void TrainStep::average_gradients() {
  if (world_.is_single()) return;
  const at::NoGradGuard no_grad;
  const std::vector<at::Tensor> gradients = optimizer_.gradients();
  std::vector<at::Tensor> flat_gradients;
  flat_gradients.reserve(gradients.size());
  for (const at::Tensor& gradient : gradients) flat_gradients.push_back(gradient.flatten());
  at::Tensor all = at::cat(flat_gradients);
  world_.all_reduce_sum(all);
  all.div_(static_cast<double>(world_.size()));
  int64_t begin = 0;
  for (const at::Tensor& gradient : gradients) {
    at::Tensor(gradient).copy_(all.narrow(0, begin, gradient.numel()).view_as(gradient));
    begin += gradient.numel();
  }
}

at::Tensor TrainStep::values_of(const Losses& losses) const {
  const at::NoGradGuard no_grad;
  const at::Tensor total = losses.total();
  std::vector<at::Tensor> values;
  for (const at::Tensor& term : {total, losses.mask, losses.dice, losses.trusty, losses.presence}) {
    values.push_back(term.defined() ? term.to(at::kDouble)
                                    : at::zeros({}, total.options().dtype(at::kDouble)));
  }
  values.push_back(optimizer_.gradient_norm());
  return at::stack(values);
}

// Losses are averaged here; the gradients are the same on all ranks already.
TrainReport TrainStep::report() const {
  const at::Tensor values = values_.cpu();
  at::Tensor losses = values.narrow(0, 0, 5).clone();
  world_.all_reduce_sum(losses);
  const auto loss = [&](int64_t i) {
    return losses[i].item<double>() / static_cast<double>(world_.size());
  };
  TrainReport result{.total = loss(0),
                     .mask = loss(1),
                     .dice = loss(2),
                     .gradient_norm = values[5].item<double>()};
  if (model_.config.trusty_token) result.trusty = loss(3);
  if (model_.config.has_presence_head()) result.presence = loss(4);
  return result;
}

}  // namespace tagclip
