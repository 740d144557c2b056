# What `cmake --install` puts where, and the Debian packages that CPack makes of it: warpbook (exchange,
# commands, units, configuration), warpbook-settlement and warpbook-probe. deploy/dev/packages-build
# builds them. Nothing here adds a target or runs a program when the tree is configured.

# Whoever packs names the targets that he wants built: not all of them, tests included, once more.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)
set(WARPBOOK_DEPLOY ${CMAKE_CURRENT_LIST_DIR}/..)
set(WARPBOOK_PACKAGING ${CMAKE_CURRENT_LIST_DIR})

# ---- warpbook ------------------------------------------------------------------------------------
install(TARGETS warpbook RUNTIME DESTINATION bin COMPONENT exchange)
install(FILES ${CMAKE_SOURCE_DIR}/schema/catalogue/catalogue.conf ${WARPBOOK_DEPLOY}/config/warpbook.conf
  DESTINATION /etc/warpbook COMPONENT exchange)
install(FILES ${WARPBOOK_DEPLOY}/systemd/warpbook.service ${WARPBOOK_DEPLOY}/systemd/warpbook-backup.service
  ${WARPBOOK_DEPLOY}/systemd/warpbook-backup.timer
  DESTINATION lib/systemd/system COMPONENT exchange)
install(FILES ${WARPBOOK_DEPLOY}/systemd/warpbook.sysusers
  DESTINATION lib/sysusers.d RENAME warpbook.conf COMPONENT exchange)
install(FILES ${WARPBOOK_DEPLOY}/systemd/warpbook.tmpfiles
  DESTINATION lib/tmpfiles.d RENAME warpbook.conf COMPONENT exchange)
install(PROGRAMS ${WARPBOOK_PACKAGING}/warpbook-setup DESTINATION sbin COMPONENT exchange)
install(PROGRAMS ${WARPBOOK_DEPLOY}/backup/backup ${WARPBOOK_DEPLOY}/backup/restore
  DESTINATION lib/warpbook COMPONENT exchange)
install(FILES ${WARPBOOK_DEPLOY}/backup/copies.py ${WARPBOOK_DEPLOY}/backup/journal_files.py
  ${WARPBOOK_DEPLOY}/backup/ledger.py
  DESTINATION lib/warpbook COMPONENT exchange)
# Links: they find what they import beside the files that they are.
foreach(name IN ITEMS backup restore)
  install(CODE "file(CREATE_LINK ../lib/warpbook/${name}
    \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/sbin/warpbook-${name}\" SYMBOLIC)" COMPONENT exchange)
endforeach()
install(FILES ${WARPBOOK_DEPLOY}/OPERATIONS.md ${WARPBOOK_DEPLOY}/RUNBOOK.md ${WARPBOOK_DEPLOY}/METRICS.md
  DESTINATION share/doc/warpbook COMPONENT exchange)
# For a Prometheus and a Grafana that are there, wherever they run.
install(FILES ${WARPBOOK_DEPLOY}/prometheus/prometheus.yml DESTINATION share/warpbook/prometheus COMPONENT exchange)
install(DIRECTORY ${WARPBOOK_DEPLOY}/prometheus/rules DESTINATION share/warpbook/prometheus COMPONENT exchange)
install(DIRECTORY ${WARPBOOK_DEPLOY}/grafana/dashboards ${WARPBOOK_DEPLOY}/grafana/provisioning
  DESTINATION share/warpbook/grafana COMPONENT exchange)
install(FILES ${CMAKE_SOURCE_DIR}/schema/journal/README.md
  DESTINATION share/doc/warpbook RENAME journal.md COMPONENT exchange)
install(FILES ${WARPBOOK_DEPLOY}/logrotate/warpbook
  DESTINATION share/doc/warpbook/examples RENAME logrotate COMPONENT exchange)
install(FILES ${WARPBOOK_DEPLOY}/systemd/journald-warpbook.conf
  DESTINATION share/doc/warpbook/examples COMPONENT exchange)

# ---- warpbook-settlement -------------------------------------------------------------------------
install(TARGETS warpbook-settlement RUNTIME DESTINATION bin COMPONENT settlement)
install(FILES ${WARPBOOK_DEPLOY}/config/warpbook-settlement.conf
  DESTINATION /etc/warpbook COMPONENT settlement)
install(FILES ${WARPBOOK_DEPLOY}/systemd/warpbook-settlement.service
  ${WARPBOOK_DEPLOY}/systemd/warpbook-migrate.service
  DESTINATION lib/systemd/system COMPONENT settlement)
install(FILES ${CMAKE_SOURCE_DIR}/settlement/README.md
  DESTINATION share/doc/warpbook-settlement COMPONENT settlement)

# ---- warpbook-probe ------------------------------------------------------------------------------
install(TARGETS warpbook-probe RUNTIME DESTINATION bin COMPONENT probe)
install(FILES ${CMAKE_SOURCE_DIR}/gpu_probe/README.md ${CMAKE_SOURCE_DIR}/gpu_probe/PROVIDERS.md
  DESTINATION share/doc/warpbook-probe COMPONENT probe)

# ---- The packages --------------------------------------------------------------------------------
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME warpbook)
set(CPACK_PACKAGE_VENDOR Warpbook)
set(CPACK_PACKAGE_CONTACT "Warpbook <packages@warpbook.example>")
file(STRINGS ${CMAKE_SOURCE_DIR}/schema/base/version.h WARPBOOK_VERSION_LINE REGEX "kVersion = ")
string(REGEX REPLACE ".*\"(.*)\".*" "\\1" CPACK_PACKAGE_VERSION "${WARPBOOK_VERSION_LINE}")  # and the commit
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_ALL exchange settlement probe)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

# Whatever makes users and folders: systemd itself, or its parts alone in a container.
set(WARPBOOK_SYSTEMD_PARTS
  "systemd-standalone-sysusers | systemd-sysusers, systemd-standalone-tmpfiles | systemd-tmpfiles")

set(CPACK_DEBIAN_EXCHANGE_PACKAGE_NAME warpbook)
set(CPACK_DEBIAN_EXCHANGE_PACKAGE_DEPENDS "${WARPBOOK_SYSTEMD_PARTS}")
set(CPACK_DEBIAN_EXCHANGE_PACKAGE_RECOMMENDS "python3, postgresql-client")  # for backup and restore
set(CPACK_DEBIAN_EXCHANGE_PACKAGE_SUGGESTS "warpbook-settlement, jq, logrotate")
set(CPACK_DEBIAN_EXCHANGE_DESCRIPTION
  "exchange for GPU capacity: matching engine, journal and gateway
The exchange as a service, and the command line of its members and operators.
Orders are matched by price, tier and time; nothing is acknowledged before it
is durable. Run warpbook-setup after the installation.")
set(CPACK_DEBIAN_EXCHANGE_PACKAGE_CONTROL_EXTRA
  ${WARPBOOK_PACKAGING}/warpbook/conffiles ${WARPBOOK_PACKAGING}/warpbook/postinst
  ${WARPBOOK_PACKAGING}/warpbook/prerm ${WARPBOOK_PACKAGING}/warpbook/postrm)

set(CPACK_DEBIAN_SETTLEMENT_PACKAGE_NAME warpbook-settlement)
# The journal's format, the catalogue and the user are those of the exchange beside it.
set(CPACK_DEBIAN_SETTLEMENT_PACKAGE_DEPENDS "warpbook")
set(CPACK_DEBIAN_SETTLEMENT_PACKAGE_RECOMMENDS "postgresql")
set(CPACK_DEBIAN_SETTLEMENT_DESCRIPTION
  "settlement of the Warpbook exchange: leases and ledger in PostgreSQL
Reads the exchange's journal, keeps a double-entry ledger, settles leases, and
audits all of it against the journal.")
set(CPACK_DEBIAN_SETTLEMENT_PACKAGE_CONTROL_EXTRA
  ${WARPBOOK_PACKAGING}/warpbook-settlement/conffiles ${WARPBOOK_PACKAGING}/warpbook-settlement/postinst
  ${WARPBOOK_PACKAGING}/warpbook-settlement/prerm ${WARPBOOK_PACKAGING}/warpbook-settlement/postrm)

set(CPACK_DEBIAN_PROBE_PACKAGE_NAME warpbook-probe)
set(CPACK_DEBIAN_PROBE_DESCRIPTION
  "proof to a Warpbook exchange that a machine has the GPUs that it sells
Run by providers. It loads NVIDIA's driver where there is one and needs none to
be installed; without GPUs it proves by the CPU, for trials.")

include(CPack)
