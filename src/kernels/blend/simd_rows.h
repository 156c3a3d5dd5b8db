#pragma once

#include <cstdint>

namespace tagclip {

// The inner loops of `blend`, each over one row. Ranges do not overlap.

// out[i] = a[i] + fraction (b[i] - a[i])
void mix_rows(const float* a, const float* b, float fraction, int64_t n, float* out);

// x[i] = sigmoid(x[i])
void sigmoid_row(float* x, int64_t n);

// Columns of a row that is resized bilinearly: see BilinearAxis.
struct Columns {
  const int32_t* low;
  const int32_t* high;
  const float* fraction;
  int64_t count;
};

// out[i] = row, resized
void resize_row(const float* row, Columns columns, float* out);

// A row of pixels between two rows of logits: pixel i is
// upper[i] + fraction (lower[i] - upper[i]).
struct PixelRow {
  const float* upper;
  const float* lower;
  float fraction;
  int64_t count;
};

// sum[i] += (presence sigmoid(pixel i) - deduction) weight[i]
void add_scores(PixelRow row, float presence, float deduction, const float* weight, float* sum);

// sum[i] += pixel i weight[i]
void add_logits(PixelRow row, const float* weight, float* sum);

// sum[i] += exp((row, resized)[i] - largest[i])
void add_exponentials(const float* row, Columns columns, const float* largest, float* sum);

// Where (row, resized)[i] > best[i]: that becomes best[i], and label[i] = candidate.
void keep_best(const float* row, Columns columns, int32_t candidate, float* best, int32_t* label);

// The corners of cell i are a[i], b[i], a[i + 1], b[i + 1]; the last cell of a row has only two.
// floor[i] = max(floor[i], smallest corner of cell i)
void raise_floor(const float* a, const float* b, int64_t n, float* floor);

// Whether the largest corner of any of n cells reaches its floor; the first `whole` of them have
// four.
bool reaches_floor(const float* a, const float* b, int64_t n, int64_t whole, const float* floor);

}  // namespace tagclip
