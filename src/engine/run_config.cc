#include "engine/run_config.h"

#include <iomanip>
#include <sstream>

#include "base/config_file.h"

namespace tagclip {

bool read_run_config(const TrainOptions& options, FieldList& fields, Console& console) {
  read_config(options.config, fields);
  for (const std::string& assignment : options.overrides) fields.set_from_text(assignment);
  if (options.print_config) console.print(to_toml(fields));
  return !options.print_config;
}

std::string fixed(double value, int digits) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(digits) << value;
  return text.str();
}

std::string scientific(double value) {
  std::ostringstream text;
  text << std::scientific << std::setprecision(2) << value;
  return text.str();
}

}  // namespace tagclip
