#pragma once

#include "weights/torch/pickle.h"
#include "weights/torch/pickle_machine.h"

namespace tagclip {

// numpy.dtype("f8", ...): an object whose attributes "type" and "order" are text.
const PickleValue& make_numpy_type(PickleMachine& machine, const PickleItems& arguments);
bool is_numpy_type(const PickleObject& object);
// The state (version, byte order, ...).
void set_numpy_state(PickleMachine& machine, PickleObject& type, const PickleValue& state);

// numpy.core.multiarray.scalar(type, bytes): a boolean, an integer or a float.
const PickleValue& make_numpy_scalar(PickleMachine& machine, const PickleItems& arguments);

// _codecs.encode(text, "latin1"): bytes.
const PickleValue& encode_latin1(PickleMachine& machine, const PickleItems& arguments);

}  // namespace tagclip
