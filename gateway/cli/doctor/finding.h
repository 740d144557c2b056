// Findings: what `warpbook doctor` says of an installation, a sentence each.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace warpbook::gateway {

enum class Severity : uint8_t {
  kGood,
  kWarning,  // it runs, but slower, or less safely, than it should
  kFault,    // it does not run, or must not
};

struct Finding {
  Severity severity = Severity::kGood;
  std::string topic;     // "clock", "journal"
  std::string sentence;  // what there is and, where it is not good, what to do
};

class Findings {
 public:
  void Good(std::string topic, std::string sentence) {
    Add(Severity::kGood, std::move(topic), std::move(sentence));
  }
  void Warn(std::string topic, std::string sentence) {
    Add(Severity::kWarning, std::move(topic), std::move(sentence));
  }
  void Fault(std::string topic, std::string sentence) {
    Add(Severity::kFault, std::move(topic), std::move(sentence));
  }
  const std::vector<Finding>& all() const { return all_; }

 private:
  void Add(Severity severity, std::string topic, std::string sentence) {
    all_.push_back({severity, std::move(topic), std::move(sentence)});
  }
  std::vector<Finding> all_;
};

}  // namespace warpbook::gateway
