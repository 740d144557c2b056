#include "schema/base/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <set>
#include <utility>

namespace warpbook {
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

std::string OneLine(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

// The option's first long name, as it stands in CLI11's messages.
std::string LongName(const CLI::Option& option) {
  return option.get_lnames().empty() ? std::string() : "--" + option.get_lnames().front();
}

// The parsed command at the end of the path: `warpbook order place` is `place`.
const CLI::App& LastCommand(const CLI::App& app) {
  const std::vector<CLI::App*> parsed = app.get_subcommands();
  return parsed.empty() ? app : LastCommand(*parsed.front());
}

std::string CommandPath(const CLI::App& app) {
  const CLI::App* const parent = app.get_parent();
  return parent == nullptr ? app.get_name() : CommandPath(*parent) + " " + app.get_name();
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

CommandOption& CommandOption::InFile() {
  option_->configurable(true);
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

CommandOption Command::TextList(const std::string& names, std::vector<std::string>& target,
                                const std::string& description) {
  return CommandOption(
      app_->add_option(names, target, description)->allow_extra_args(false)->delimiter(','));
}

CommandOption Command::Integer(const std::string& names, int64_t& target,
                               const std::string& description) {
  return CommandOption(app_->add_option(names, target, description)->capture_default_str());
}

CommandOption Command::Flag(const std::string& names, bool& target,
                            const std::string& description) {
  return CommandOption(app_->add_flag(names, target, description)->configurable(false));
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

void Command::OnRunAlone(std::function<int()> run) {
  app_->require_subcommand(0, 1);
  app_->callback([app = app_, exit_code = exit_code_, run = std::move(run)] {
    if (app->get_subcommands().empty()) *exit_code = run();
  });
}

void Command::Footer(const std::string& text) { app_->footer(text); }

CommandLine::CommandLine(const std::string& name, const std::string& description)
    : app_(std::make_unique<CLI::App>(description, name)) {}

CommandLine::~CommandLine() = default;

// What is wrong, in one line.
std::string CommandLine::Describe(const std::exception& fault) const {
  const CLI::App& command = LastCommand(*app_);
  const bool needs_more = dynamic_cast<const CLI::RequiredError*>(&fault) != nullptr;
  if (!needs_more) return OneLine(fault.what());
  const std::string help = "; see " + CommandPath(command) + " --help";
  const std::vector<std::string> unknown = app_->remaining(true);
  if (unknown.empty() || command.get_subcommands({}).empty()) return OneLine(fault.what()) + help;
  return "unknown command \"" + unknown.front() + "\"" + help;
}

// " (in WARPBOOK_...)" where the fault is an option's that the environment gave.
std::string CommandLine::SourceOf(const std::exception& fault, int argc,
                                  const char* const* argv) const {
  const std::string what = fault.what();
  for (const CLI::Option* option : LastCommand(*app_).get_options()) {
    const std::string name = LongName(*option);
    if (name.empty() || option->get_envname().empty() || what.find(name) == std::string::npos) {
      continue;
    }
    const bool is_on_line = std::any_of(argv, argv + argc, [&name](const std::string& word) {
      return word == name || word.starts_with(name + "=");
    });
    if (!is_on_line && std::getenv(option->get_envname().c_str()) != nullptr) {
      return " (in " + option->get_envname() + ")";
    }
  }
  return "";
}

Command CommandLine::root() { return Command(app_.get(), &exit_code_); }

int CommandLine::Run(int argc, const char* const* argv, std::ostream& out, std::ostream& error) {
  try {
    app_->parse(argc, argv);
    return exit_code_;
  } catch (const CLI::ParseError& fault) {
    if (fault.get_exit_code() == 0) return app_->exit(fault, out, error);  // help was asked for
    error << app_->get_name() << ": " << Describe(fault) << SourceOf(fault, argc, argv)
          << std::endl;
    return kExitUsage;
  }
}

}  // namespace warpbook
