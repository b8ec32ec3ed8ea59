/* The attacks of Sources/CAttack as a program of their own. */
#include "CAttack.h"

int main(int argc, char **argv) { return atk_main(argc, argv); }
