#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "onnx/graph.h"

namespace tagclip::onnx {

// One function per operator. Shapes broadcast as NumPy's; an axis may count from the end. `axes`
// and positions along an axis are constants.

Value operator+(const Value& a, const Value& b);
Value operator-(const Value& a, const Value& b);
Value operator*(const Value& a, const Value& b);
Value operator/(const Value& a, const Value& b);
Value operator+(const Value& a, float b);
Value operator-(const Value& a, float b);
Value operator-(float a, const Value& b);
Value operator*(const Value& a, float b);
Value operator/(float a, const Value& b);

Value matmul(const Value& a, const Value& b);
Value softmax(const Value& x);  // over the last axis
Value sigmoid(const Value& x);
Value relu(const Value& x);
Value absolute(const Value& x);
Value erf(const Value& x);
Value exp(const Value& x);
Value layer_norm(const Value& x, const Value& weight, const Value& bias, float epsilon);
Value l2_normalize(const Value& x);  // over the last axis
Value conv2d(const Value& x, const Value& kernel, int64_t stride);

// Reductions over one axis.
Value sum(const Value& x, int64_t axis, bool keep = true);
Value mean(const Value& x, int64_t axis, bool keep = true);
Value maximum(const Value& x, int64_t axis, bool keep = true);
Value argmax(const Value& x, int64_t axis);  // the first of equals; int64, the axis goes

Value where(const Value& condition, const Value& a, const Value& b);
Value greater(const Value& a, const Value& b);
Value equal(const Value& a, const Value& b);
Value logical_and(const Value& a, const Value& b);
Value logical_not(const Value& x);
Value cast(const Value& x, ElementType type);

// --- Shapes ---

// The lengths of axes [begin, end), int64 [end - begin].
Value shape_of(const Value& x, int64_t begin, int64_t end);
Value concat(const std::vector<Value>& values, int64_t axis);
// 0 keeps an axis's length, -1 is what is left.
Value reshape(const Value& x, const std::vector<int64_t>& shape);
Value reshape(const Value& x, const Value& shape);
Value transpose(const Value& x, const std::vector<int64_t>& order);
Value unsqueeze(const Value& x, const std::vector<int64_t>& axes);
Value squeeze(const Value& x, int64_t axis);
// Without `end`: to the last.
Value slice(const Value& x, int64_t axis, int64_t begin, std::optional<int64_t> end = {});
std::vector<Value> split(const Value& x, int64_t axis, size_t parts);  // of equal lengths
Value expand(const Value& x, const Value& shape);
Value range(const Value& count);  // int64 [1] -> 0, 1, ..., count - 1 as float [count]

// Resizes maps [B, C, h, w] bilinearly, with corners not aligned, to a `size` int64 [2].
Value resize_bilinear(const Value& maps, const Value& size);

}  // namespace tagclip::onnx
