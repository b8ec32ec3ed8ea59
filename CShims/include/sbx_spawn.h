#pragma once
int sbx_placeholder(void);
