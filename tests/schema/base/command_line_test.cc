#include "schema/base/command_line.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/support/temporary_directory.h"

namespace warpbook {
namespace {

constexpr const char* kVariable = "WARPBOOK_TEST_COUNT";
constexpr const char* kSettingVariable = "WARPBOOK_TEST_SETTING";
constexpr const char* kWordsVariable = "WARPBOOK_TEST_WORDS";

// `test run [--count N] [--name TEXT] [--setting] [--word TEXT]... [file]`, with a configuration
// file.
struct TestCommand {
  int64_t count = 3;
  std::string name = "default";
  std::string file;
  bool flag = false;
  bool setting = false;
  std::vector<std::string> words;
  int exit_code = 0;
  std::string out, error;

  TestCommand& Run(std::vector<const char*> line) {
    CommandLine command_line("test", "A test.");
    Command run = command_line.root().Add("run", "Runs.");
    run.ConfigFile("The file");
    run.Integer("--count", count, "How many").Environment(kVariable).Range(1, 10);
    run.Text("--name", name, "Its name").OneOf({"default", "a", "b"});
    run.Text("file,--file", file, "A file");
    run.Flag("--flag", flag, "A flag");
    run.Flag("--setting", setting, "A flag in the file").Environment(kSettingVariable).InFile();
    run.TextList("--word", words, "Words").Environment(kWordsVariable);
    run.OnRun([] { return 7; });
    line.insert(line.begin(), "test");
    std::ostringstream out_stream;
    std::ostringstream error_stream;
    exit_code =
        command_line.Run(static_cast<int>(line.size()), line.data(), out_stream, error_stream);
    out = out_stream.str();
    error = error_stream.str();
    return *this;
  }
};

class Variable {
 public:
  explicit Variable(const char* value, const char* name = kVariable) : name_(name) {
    setenv(name, value, 1);
  }
  ~Variable() { unsetenv(name_); }

 private:
  const char* const name_;
};

std::string WriteFile(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
  return path;
}

TEST_CASE("A command's result is the exit code, and its options reach it") {
  TestCommand command;
  command.Run({"run", "--count", "5", "--name=a", "here", "--flag"});
  CHECK(command.exit_code == 7);
  CHECK(command.count == 5);
  CHECK(command.name == "a");
  CHECK(command.file == "here");
  CHECK(command.flag);
  CHECK(TestCommand().Run({"run"}).count == 3);
}

TEST_CASE("Help is no error") {
  for (const std::vector<const char*>& words :
       std::vector<std::vector<const char*>>{{"--help"}, {"run", "--help"}}) {
    TestCommand command;
    command.Run(words);
    CHECK(command.exit_code == kExitOk);
    CHECK(command.out.find("Usage: ") != std::string::npos);
    CHECK(command.error.empty());
  }
}

TEST_CASE("What is wrong on the command line is one line on standard error and exit code 2") {
  struct Row {
    std::vector<const char*> words;
    const char* named;
  };
  for (const Row& row :
       {Row{{}, "see test --help"}, Row{{"walk"}, "walk"},
        Row{{"run", "--counts", "1"}, "--counts"}, Row{{"run", "--count"}, "--count"},
        Row{{"run", "--count", "x"}, "--count"}, Row{{"run", "--count", "0"}, "--count"},
        Row{{"run", "--count", "1.5"}, "--count"}, Row{{"run", "--count", ""}, "--count"},
        Row{{"run", "--name", "c"}, "--name"}, Row{{"run", "a", "b"}, "b"}}) {
    TestCommand command;
    command.Run(row.words);
    CAPTURE(command.error);
    CHECK(command.exit_code == kExitUsage);
    CHECK(command.out.empty());
    CHECK(command.error.find(row.named) != std::string::npos);
    CHECK(command.error.find('\n') == command.error.size() - 1);
  }
}

TEST_CASE("The file is overruled by the environment, and that by the command line") {
  const test::TemporaryDirectory directory;
  const std::string file =
      WriteFile(directory / "test.conf", "# a comment\ncount = 7\nname = \"b\"\n");
  CHECK(TestCommand().Run({"run", "--config", file.c_str()}).count == 7);
  CHECK(TestCommand().Run({"run", "--config", file.c_str()}).name == "b");
  const Variable variable("6");
  CHECK(TestCommand().Run({"run"}).count == 6);
  CHECK(TestCommand().Run({"run", "--config", file.c_str()}).count == 6);
  CHECK(TestCommand().Run({"run", "--config", file.c_str(), "--count", "5"}).count == 5);
}

TEST_CASE("A list and a setting come from line, environment and file") {
  using Words = std::vector<std::string>;
  const test::TemporaryDirectory directory;
  const std::string file = WriteFile(directory / "test.conf", "setting = true\nword = \"x,y\"\n");
  const std::string off = WriteFile(directory / "off.conf", "setting = false\n");
  CHECK_FALSE(TestCommand().Run({"run"}).setting);
  CHECK(TestCommand().Run({"run", "--setting"}).setting);
  CHECK(TestCommand().Run({"run", "--config", file.c_str()}).setting);
  CHECK_FALSE(TestCommand().Run({"run", "--config", off.c_str()}).setting);
  CHECK(TestCommand().Run({"run", "--config", off.c_str(), "--setting"}).setting);
  TestCommand command;
  command.Run({"run", "--word", "a", "--word=b,c", "file"});
  CHECK(command.words == Words{"a", "b", "c"});
  CHECK(command.file == "file");
  CHECK(TestCommand().Run({"run", "--config", file.c_str()}).words == Words{"x", "y"});
  const Variable setting("true", kSettingVariable);
  const Variable words("p,q", kWordsVariable);
  CHECK(TestCommand().Run({"run"}).setting);
  CHECK(TestCommand().Run({"run", "--config", off.c_str()}).setting);
  CHECK(TestCommand().Run({"run", "--config", file.c_str()}).words == Words{"p", "q"});
  CHECK(TestCommand().Run({"run", "--word", "a"}).words == Words{"a"});
}

TEST_CASE("A wrong value from the environment is told with the variable's name") {
  const Variable variable("0");
  TestCommand command;
  command.Run({"run"});
  CHECK(command.exit_code == kExitUsage);
  CHECK(command.error.find(kVariable) != std::string::npos);
  CHECK(TestCommand().Run({"run", "--count", "99"}).error.find(kVariable) == std::string::npos);
}

TEST_CASE("A wrong configuration file is told with its path and the key") {
  const test::TemporaryDirectory directory;
  struct Row {
    const char* text;
    const char* named;
  };
  for (const Row& row :
       {Row{"counts = 7\n", "unknown key \"counts\""}, Row{"count = 0\n", "--count"},
        Row{"count = many\n", "--count"}, Row{"count = 7\ncount = 8\n", "\"count\""},
        Row{"count = [7, 8]\n", "\"count\""}, Row{"[run]\ncount = 7\n", "run"},
        Row{"config = \"/x\"\n", "config"}, Row{"flag = true\n", "flag"},
        Row{"setting = perhaps\n", "--setting"}, Row{"help = true\n", "help"}}) {
    CAPTURE(row.text);
    const std::string file = WriteFile(directory / "wrong.conf", row.text);
    TestCommand command;
    command.Run({"run", "--config", file.c_str()});
    CHECK(command.exit_code == kExitUsage);
    CHECK(command.error.find(file) != std::string::npos);
    CHECK(command.error.find(row.named) != std::string::npos);
  }
  TestCommand command;
  command.Run({"run", "--config", "/nowhere.conf"});
  CHECK(command.exit_code == kExitUsage);
  CHECK(command.error.find("/nowhere.conf") != std::string::npos);
}

}  // namespace
}  // namespace warpbook
