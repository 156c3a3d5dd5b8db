#include "gpu/recorded_work.h"

namespace tagclip {

struct RecordedWork::Recording {};

RecordedWork::RecordedWork() = default;
RecordedWork::RecordedWork(at::Device /*device*/,
                           const std::vector<at::Generator>& /*generators*/) {}
RecordedWork::RecordedWork(RecordedWork&&) noexcept = default;
RecordedWork& RecordedWork::operator=(RecordedWork&&) noexcept = default;
RecordedWork::~RecordedWork() = default;

void RecordedWork::operator()(const std::function<void()>& work) { work(); }

bool RecordedWork::recorded() const { return false; }

}  // namespace tagclip
