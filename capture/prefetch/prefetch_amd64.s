#include "textflag.h"

// func each(at []unsafe.Pointer, lines int)
TEXT ·each(SB), NOSPLIT, $0-32
	MOVQ at_base+0(FP), SI
	MOVQ at_len+8(FP), CX
	MOVQ lines+24(FP), DX
	TESTQ CX, CX
	JLE  done
	TESTQ DX, DX
	JLE  done
next:
	MOVQ (SI), AX
	ADDQ $8, SI
	MOVQ DX, BX
line:
	PREFETCHT0 (AX)
	ADDQ $64, AX
	DECQ BX
	JNZ  line
	DECQ CX
	JNZ  next
done:
	RET
