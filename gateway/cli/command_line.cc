#include "gateway/cli/command_line.h"

#include <CLI/CLI.hpp>
#include <set>
#include <utility>

namespace warpbook::gateway {
namespace {

constexpr const char* kConfigOption = "--config";

CLI::ConfigError Fault(const std::string& text) {
  return CLI::ConfigError(text, CLI::ExitCodes::ConfigError);
}

// Gives the options of `app` that are still without a value what its configuration file says.
void ApplyConfigFile(CLI::App& app) {
  const CLI::Option* const config = app.get_option_no_throw(kConfigOption);
  if (config == nullptr || config->count() == 0) return;
  const std::string path = config->as<std::string>();
  std::set<std::string> seen;
  for (const CLI::ConfigItem& item : CLI::ConfigTOML().from_file(path)) {
    CLI::Option* const option =
        item.parents.empty() ? app.get_option_no_throw("--" + item.name) : nullptr;
    if (option == nullptr || !option->get_configurable()) {
      throw Fault(path + ": unknown key \"" + item.fullname() + "\"");
    }
    if (!seen.insert(item.name).second || item.inputs.size() != 1) {
      throw Fault(path + ": \"" + item.name + "\" must be given once, with one value");
    }
    if (option->count() > 0) continue;
    try {
      option->add_result(item.inputs);
      option->run_callback();
    } catch (const CLI::ParseError& fault) {
      throw Fault(path + ": " + fault.what());
    }
  }
}

}  // namespace

CommandOption& CommandOption::Required() {
  option_->required();
  return *this;
}

CommandOption& CommandOption::Environment(const std::string& name) {
  option_->envname(name);
  return *this;
}

CommandOption& CommandOption::OneOf(const std::vector<std::string>& words) {
  option_->check(CLI::IsMember(words));
  return *this;
}

CommandOption& CommandOption::Range(int64_t low, int64_t high) {
  option_->check(CLI::Range(low, high));
  return *this;
}

Command Command::Add(const std::string& name, const std::string& description) {
  app_->require_subcommand(1);
  return Command(app_->add_subcommand(name, description), exit_code_);
}

CommandOption Command::Text(const std::string& names, std::string& target,
                            const std::string& description) {
  return CommandOption(app_->add_option(names, target, description)->capture_default_str());
}

CommandOption Command::Integer(const std::string& names, int64_t& target,
                               const std::string& description) {
  return CommandOption(app_->add_option(names, target, description)->capture_default_str());
}

CommandOption Command::Flag(const std::string& names, bool& target,
                            const std::string& description) {
  return CommandOption(app_->add_flag(names, target, description));
}

CommandOption Command::ConfigFile(const std::string& description) {
  return CommandOption(app_->add_option(kConfigOption, description)->configurable(false));
}

void Command::OnRun(std::function<int()> run) {
  app_->callback([app = app_, exit_code = exit_code_, run = std::move(run)] {
    ApplyConfigFile(*app);
    *exit_code = run();
  });
}

void Command::Footer(const std::string& text) { app_->footer(text); }

CommandLine::CommandLine(const std::string& name, const std::string& description)
    : app_(std::make_unique<CLI::App>(description, name)) {}

CommandLine::~CommandLine() = default;

Command CommandLine::root() { return Command(app_.get(), &exit_code_); }

int CommandLine::Run(int argc, const char* const* argv, std::ostream& out, std::ostream& error) {
  try {
    app_->parse(argc, argv);
    return exit_code_;
  } catch (const CLI::ParseError& fault) {
    return app_->exit(fault, out, error) == 0 ? kExitOk : kExitUsage;
  }
}

}  // namespace warpbook::gateway
