# Writes OUTPUT, a C++ file that holds the text of each migration in MIGRATIONS (full paths, their
# names NNNN_name.sql), so that the program needs no files beside it.
#   cmake -DOUTPUT=... -DMIGRATIONS="a.sql|b.sql" -P embed_migrations.cmake
string(REPLACE "|" ";" MIGRATIONS "${MIGRATIONS}")
set(rows "")
foreach(path IN LISTS MIGRATIONS)
  get_filename_component(name "${path}" NAME_WE)
  string(REGEX MATCH "^[0-9]+" number "${name}")
  string(REGEX REPLACE "^0+" "" version "${number}")
  file(READ "${path}" text)
  string(APPEND rows "    {${version}, \"${name}\", R\"migration(${text})migration\"},\n")
endforeach()
file(WRITE "${OUTPUT}" "// Made from settlement/store/migrations by embed_migrations.cmake.
#include \"settlement/store/migrations.h\"

namespace warpbook::settlement {

const std::vector<Migration>& AllMigrations() {
  static const auto* const kAll = new std::vector<Migration>{
${rows}  };
  return *kAll;
}

}  // namespace warpbook::settlement
")
