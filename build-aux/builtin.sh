#!/bin/sh
# Write the table of built-in plug-ins to standard output: builtin.sh source_file operator_filter ...
echo '/* Made by build-aux/builtin.sh from the list of configure. */'
echo '#include <headrace/plugin.h>'
echo 'extern const struct hr_plugin *const hr_builtin[];'
for record; do echo "extern const struct hr_plugin hr_$record;"; done
echo 'const struct hr_plugin *const hr_builtin[] = {'
for record; do echo "    &hr_$record,"; done
echo '    NULL};'
