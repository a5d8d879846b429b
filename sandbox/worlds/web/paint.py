from sandbox.engine.kernel import kernel
LEGEND=()
def canvas(rules,size): return (size,size)
@kernel
def paint(s,lane,rules,trail,blend,image):
    image[0,0,0]=255
