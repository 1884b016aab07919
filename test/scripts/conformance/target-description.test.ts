import { describe, expect, it } from '@jest/globals';
import { readTargetDescription } from '../../../scripts/conformance/target-description.js';

const reader = (files: Record<string, string>) => async (file: string) => files[file] ?? '';

describe('readTargetDescription', () => {
  it('counts registers through the included files, from each regnum on', async () => {
    const numbers = await readTargetDescription(
      reader({
        'target.xml': '<target><xi:include href="core.xml"/>\n<xi:include\n href="system.xml"/></target>',
        'core.xml': '<reg name="x0" bitsize="64"/><flags id="f"/><reg bitsize="64" name="pc" type="code_ptr"/>',
        'system.xml':
          '<reg name="TCR_EL1" regnum="70"/><reg name="TTBR1_EL1" bitsize="64"/><reg name="VBAR" regnum="90"/>',
      }),
    );
    expect([...numbers]).toEqual([
      ['x0', 0],
      ['pc', 1],
      ['TCR_EL1', 70],
      ['TTBR1_EL1', 71],
      ['VBAR', 90],
    ]);
  });

  it('is not misled by attributes that only end in a name', async () => {
    const numbers = await readTargetDescription(
      reader({ 'target.xml': '<reg altname="wrong" name="right" group="system" save-regnum="9"/>' }),
    );
    expect([...numbers]).toEqual([['right', 0]]);
  });
});
