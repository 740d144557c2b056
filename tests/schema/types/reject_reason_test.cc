// The table of refusals against its header: the header's text is read, so that a reason without a
// row, or a row whose code is not its name, cannot be overlooked.
#include "schema/types/reject_reason.h"

#include <doctest/doctest.h>

#include <cctype>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>

namespace warpbook {
namespace {

// Enumerators of the header, by number: "FrameTooLarge".
std::map<int, std::string> HeaderReasons() {
  std::ifstream file(WARPBOOK_REJECT_REASON_HEADER);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const std::regex pattern(R"(\n  k([A-Za-z0-9]+) = (\d+),)");
  std::map<int, std::string> reasons;
  for (auto at = std::sregex_iterator(text.begin(), text.end(), pattern);
       at != std::sregex_iterator(); ++at) {
    const bool is_new = reasons.emplace(std::stoi((*at)[2]), (*at)[1]).second;
    CAPTURE(at->str());
    CHECK(is_new);
  }
  return reasons;
}

std::string SnakeCase(const std::string& name) {
  std::string snake;
  for (const char c : name) {
    const bool is_upper = std::isupper(static_cast<unsigned char>(c)) != 0;
    if (is_upper && !snake.empty()) snake += '_';
    snake += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return snake;
}

TEST_CASE("Every reason of the header has one row, whose code is its name") {
  const std::map<int, std::string> header = HeaderReasons();
  REQUIRE(header.size() > 90);
  CHECK(header.begin()->second == "None");
  CHECK(AllRejectReasons().size() == header.size() - 1);
  for (const RejectReasonInfo& row : AllRejectReasons()) {
    const auto at = header.find(static_cast<int>(row.reason));
    CAPTURE(row.code);
    REQUIRE(at != header.end());
    CHECK(row.code == SnakeCase(at->second));
  }
}

TEST_CASE("The rows ascend by number, and codes and messages are unique") {
  std::set<std::string_view> codes;
  std::set<std::string_view> messages;
  int last = 0;
  for (const RejectReasonInfo& row : AllRejectReasons()) {
    CAPTURE(row.code);
    CHECK(static_cast<int>(row.reason) > last);
    last = static_cast<int>(row.reason);
    CHECK(codes.insert(row.code).second);
    CHECK(messages.insert(row.message).second);
  }
}

TEST_CASE("Every message is one sentence that fits a line") {
  for (const RejectReasonInfo& row : AllRejectReasons()) {
    CAPTURE(row.message);
    CHECK(row.message.size() <= 100);
    CHECK(std::isupper(static_cast<unsigned char>(row.message.front())) != 0);
    CHECK(row.message.back() == '.');
    CHECK(row.message.find(". ") == std::string_view::npos);
    // It is copied into JSON as it is.
    CHECK(row.message.find_first_of("\"\\\n") == std::string_view::npos);
  }
}

TEST_CASE("Numbers stay inside the blocks that the header declares") {
  const std::set<int> blocks = {10, 11, 12, 20, 21, 22, 23, 30, 31};
  for (const RejectReasonInfo& row : AllRejectReasons()) {
    CHECK(blocks.contains(static_cast<int>(row.reason) / 100));
  }
}

TEST_CASE("A reason is found by its number, and other numbers are not") {
  const std::map<int, std::string> header = HeaderReasons();
  for (int number = 0; number <= 0xffff; ++number) {
    const auto row = FindRejectReason(static_cast<RejectReason>(number));
    const bool is_reason = number != 0 && header.contains(number);
    if (row.has_value() != is_reason) CHECK(row.has_value() == is_reason);
    if (row && static_cast<int>(row->reason) != number) CHECK(false);
  }
  CHECK(FindRejectReason(RejectReason::kInsufficientCredits)->code == "insufficient_credits");
  CHECK(RejectReasonCode(RejectReason::kInsufficientCredits) == "insufficient_credits");
  CHECK(RejectReasonCode(RejectReason::kNone) == "none");
  CHECK(RejectReasonCode(static_cast<RejectReason>(9999)) == "unknown");
}

}  // namespace
}  // namespace warpbook
