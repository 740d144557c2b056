// CommandLine: the tree of commands and options that a program understands. A thin face of CLI11,
// which only command_line.cc includes (it takes eight seconds to compile).
//
// Exit codes: 0 done, 1 refused or failed (the command's own), 2 the command line, an environment
// variable or a configuration file is wrong.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace warpbook {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 2;

// One option of a command. Its target keeps its value where the option is not given.
class CommandOption {
 public:
  explicit CommandOption(CLI::Option* option) : option_(option) {}
  CommandOption& Required();
  // Taken from this environment variable where it is not on the command line.
  CommandOption& Environment(const std::string& name);
  CommandOption& OneOf(const std::vector<std::string>& words);
  CommandOption& Range(int64_t low, int64_t high);
  // A flag's: also taken from a configuration file, as `name = true`.
  CommandOption& InFile();

 private:
  CLI::Option* option_;
};

// One command. Names are "--flag", "word" (by position) or both: "price,--price". What
// targets name must live until CommandLine::Run has returned.
class Command {
 public:
  Command(CLI::App* app, int* exit_code) : app_(app), exit_code_(exit_code) {}

  // A subcommand; one of a command's subcommands must be given.
  Command Add(const std::string& name, const std::string& description);
  CommandOption Text(const std::string& names, std::string& target, const std::string& description);
  // May be given again and again, and hold several with commas between them.
  CommandOption TextList(const std::string& names, std::vector<std::string>& target,
                         const std::string& description);
  CommandOption Integer(const std::string& names, int64_t& target, const std::string& description);
  // A flag is not taken from a configuration file, unless InFile says so.
  CommandOption Flag(const std::string& names, bool& target, const std::string& description);
  // Adds --config: a file of `key = value` lines that gives the command's options, for those that
  // neither the command line nor the environment gives. A key that is no option is an error.
  CommandOption ConfigFile(const std::string& description);
  // What the command does; its result is the exit code.
  void OnRun(std::function<int()> run);
  // What a command with subcommands does where none of them is given.
  void OnRunAlone(std::function<int()> run);
  // Shown at the end of the command's help.
  void Footer(const std::string& text);

 private:
  CLI::App* app_;
  int* exit_code_;
};

class CommandLine {
 public:
  CommandLine(const std::string& name, const std::string& description);
  ~CommandLine();

  Command root();
  // Parses and runs. Help goes to `out`, what is wrong to `error` in one line.
  int Run(int argc, const char* const* argv, std::ostream& out, std::ostream& error);

 private:
  std::string Describe(const std::exception& fault) const;
  std::string SourceOf(const std::exception& fault, int argc, const char* const* argv) const;

  std::unique_ptr<CLI::App> app_;
  int exit_code_ = kExitOk;
};

}  // namespace warpbook
