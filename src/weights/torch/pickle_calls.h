#pragma once

#include "weights/torch/pickle.h"
#include "weights/torch/pickle_globals.h"
#include "weights/torch/pickle_machine.h"

namespace tagclip {

// These functions return the results of a pickle's calls as data. All throw Error(kBadInput) for
// what does not fit.

// Returns global(*arguments).
const PickleValue& call_pickle_global(PickleMachine& machine, const PickleGlobal& global,
                                      const PickleItems& arguments);

// Makes an instance of a TorchScript class, without attributes yet.
const PickleValue& new_pickle_object(PickleMachine& machine, const PickleGlobal& global,
                                     const PickleItems& arguments);

// Gives an object its attributes.
void set_pickle_state(PickleMachine& machine, PickleObject& object, const PickleValue& state);

// Returns the storage that a persistent id describes: ("storage", class, key, device, number of
// elements), in legacy files followed by the view's description, None.
const PickleValue& make_pickle_storage(PickleMachine& machine, const PickleValue& id);

}  // namespace tagclip
