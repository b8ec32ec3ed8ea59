#include "sbx_spawn.h"
int sbx_placeholder(void) { return 0; }
