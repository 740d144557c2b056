// The least that it costs PostgreSQL to take a ledger: the rows that settlement wrote, all tables,
// by plain COPY into an empty database with the same schema, in as many transactions. Nothing is
// computed, looked up or changed again. Straight through libpq.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace warpbook::bench {

class CopyBaseline {
 public:
  // Reads the rows of a database that settlement has written.
  explicit CopyBaseline(const std::string& conninfo);

  // Writes them in so many transactions; seconds.
  double Time(const std::string& conninfo, uint64_t transactions) const;

 private:
  struct Table {
    std::string name;
    std::string text;          // as COPY writes it
    std::vector<size_t> ends;  // of each row in it
  };
  std::vector<Table> tables_;
  int64_t last_event_ = 0;
};

// Seconds of an UPDATE of one row and its COMMIT, one after the other.
std::vector<double> TimeCommits(const std::string& conninfo, int commits);

}  // namespace warpbook::bench
