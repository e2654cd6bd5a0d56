// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.base.FsError;

import org.junit.jupiter.api.Test;

class StatusErrorsTest {
    @Test
    void of_onlyNoSuchFile_isAbsence() {
        for (int status = -10; status < 100; status++) {
            boolean absent = StatusErrors.of(status) == FsError.ENOENT;
            assertThat(absent).as("%d", status).isEqualTo(status == 2 || status == 10);
        }
    }

    @Test
    void of_codesOfVersion3() {
        assertThat(StatusErrors.of(Protocol.PERMISSION_DENIED)).isEqualTo(FsError.EACCES);
        assertThat(StatusErrors.of(Protocol.FAILURE)).isEqualTo(FsError.EIO);
        assertThat(StatusErrors.of(Protocol.BAD_MESSAGE)).isEqualTo(FsError.EINVAL);
        assertThat(StatusErrors.of(Protocol.OP_UNSUPPORTED)).isEqualTo(FsError.ENOTSUP);
        assertThat(StatusErrors.of(14)).isEqualTo(FsError.ENOSPC);
        assertThat(StatusErrors.of(12345)).isEqualTo(FsError.EIO);
    }

    @Test
    void exception_serverText_isOneHarmlessLine() {
        Reply reply = Reply.status(Protocol.FAILURE, "a\u001b[31m\nb");
        assertThat(StatusErrors.exception(reply, "f").getMessage())
                .isEqualTo("f: input/output error (server: a?[31m?b)");
    }

    @Test
    void statistics_fullOrReadOnly_areTold() {
        assertThat(statistics(0, 10, 0).error(1)).isEqualTo(FsError.ENOSPC);
        assertThat(statistics(5, 0, 0).error(1)).isEqualTo(FsError.ENOSPC);
        assertThat(statistics(5, 10, 1).error(1)).isEqualTo(FsError.EROFS);
        assertThat(statistics(5, 10, 0).error(5 * 4096)).isEqualTo(FsError.EIO);
        assertThat(statistics(5, 10, 0).error(5 * 4096 + 1)).isEqualTo(FsError.ENOSPC);
    }

    private static Diagnosis.Statistics statistics(long available, long filesFree, long flags) {
        return new Diagnosis.Statistics(
                4096, 100, available, available, 10, filesFree, 1, flags, 255);
    }
}
