// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.sim;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import static java.util.Objects.requireNonNull;

import org.junit.jupiter.api.Test;

import java.util.Arrays;

/** What the model takes for right in a file after changes that failed. */
class ModelFileTest {
    private static final int SIZE = 10;
    private static final int COPIED = 20;

    private final ModelFile.Sequence sequence = new ModelFile.Sequence();
    private final ModelFile source = new ModelFile(1, sequence);
    private final ModelFile target = new ModelFile(2, sequence);

    private ModelFile.Change write(ModelFile file, int position, int count) {
        return requireNonNull(file.write(position, new byte[count]));
    }

    private void read(ModelFile file, int position, int value) {
        byte[] got = {(byte) value};
        file.hasRead(file.read(position, 1), got, 1);
    }

    @Test
    void bytesOfAWriteThatFailed_areAny_untilTheyAreSeen() {
        source.failed(write(source, 0, SIZE), SIZE);
        read(source, 3, 7);
        assertThatThrownBy(() -> read(source, 3, 8)).isInstanceOf(Violation.class);
    }

    @Test
    void bytesPastTheEnd_thatAFailedWriteDidNotReach_areZerosLater() {
        source.failed(write(source, 0, 2 * SIZE), SIZE);
        source.wrote(write(source, 3 * SIZE, 1), 1);
        read(source, SIZE, 0);
        assertThatThrownBy(() -> read(source, SIZE + 1, 7)).isInstanceOf(Violation.class);
    }

    /** A copy of what nobody knows may show as anything, whatever fails in front of it. */
    @Test
    void bytesOfACopyUnderWay_stayUnknown_whenAnotherWriteFails() {
        source.failed(write(source, 0, COPIED), COPIED);
        target.wrote(write(target, 0, SIZE), SIZE);
        ModelFile.Change hold = requireNonNull(source.hold(0, COPIED));
        requireNonNull(target.copy(hold, source, SIZE, COPIED));
        target.failed(write(target, 2, 3), SIZE);
        byte[] got = new byte[COPIED];
        Arrays.fill(got, (byte) 7);
        ModelFile.Reading reading = target.read(SIZE, COPIED);
        assertThatCode(() -> target.hasRead(reading, got, COPIED)).doesNotThrowAnyException();
    }
}
