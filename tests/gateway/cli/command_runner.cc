#include "tests/gateway/cli/command_runner.h"

#include <iostream>
#include <sstream>

#include "gateway/cli/commands.h"
#include "schema/base/command_line.h"

namespace warpbook::gateway {
namespace {

// What goes to a standard stream goes to a string meanwhile.
class Capture {
 public:
  explicit Capture(std::ostream& stream) : stream_(stream), before_(stream.rdbuf(text_.rdbuf())) {}
  ~Capture() { stream_.rdbuf(before_); }
  std::string text() const { return text_.str(); }

 private:
  std::ostream& stream_;
  std::ostringstream text_;
  std::streambuf* const before_;
};

}  // namespace

CommandResult RunCommand(const std::vector<std::string>& words) {
  const Capture out(std::cout);
  const Capture error(std::cerr);
  std::vector<const char*> argv = {"warpbook"};
  for (const std::string& word : words) argv.push_back(word.c_str());
  CommandLine command_line("warpbook", "An exchange for GPU capacity.");
  AddCommands(command_line.root());
  const int exit_code =
      command_line.Run(static_cast<int>(argv.size()), argv.data(), std::cout, std::cerr);
  return {exit_code, out.text(), error.text()};
}

}  // namespace warpbook::gateway
