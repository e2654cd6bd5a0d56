// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.testing.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.netfs4j.base.Completion;
import io.netfs4j.base.FsError;
import io.netfs4j.base.FsException;
import io.netfs4j.request.Subrequest;
import io.netfs4j.request.Termination;
import io.netfs4j.server.Access;
import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.Capability;
import io.netfs4j.server.OpenedFile;
import io.netfs4j.server.RemotePath;
import io.netfs4j.server.RenameMode;
import io.netfs4j.server.ServerAttributes;
import io.netfs4j.server.ServerFile;
import io.netfs4j.server.WriteSession;
import io.netfs4j.testing.Transfers;

import org.junit.jupiter.api.Test;

import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;

/** What every back end keeps: names by {@link ServerContract}, and here the files' data. */
public abstract class ServerDataContract extends ServerContract {
    @Test
    void write_thenRead_givesTheBytes() throws Exception {
        byte[] bytes = pattern(7, 3_000_017);
        make("f", bytes);
        assertThat(server.stat(path("f")).sizeBytes()).isEqualTo(bytes.length);
        assertThat(contents(path("f"))).isEqualTo(bytes);
    }

    @Test
    void write_pastTheEnd_leavesZeros() throws Exception {
        ServerFile file = server.create(() -> path("f"), 0644).file();
        transfers.write(file, 100_000, pattern(1, 10));
        byte[] expected = new byte[100_010];
        System.arraycopy(pattern(1, 10), 0, expected, 100_000, 10);
        assertThat(transfers.get(file, 0, 200_000)).isEqualTo(expected);
        file.close();
    }

    @Test
    void write_inTheMiddle_changesOnlyThat() throws Exception {
        byte[] expected = pattern(1, 50_000);
        make("f", expected);
        ServerFile file = server.open(() -> path("f"), Access.READ_WRITE).file();
        transfers.write(file, 12_345, pattern(2, 678));
        System.arraycopy(pattern(2, 678), 0, expected, 12_345, 678);
        assertThat(transfers.get(file, 0, 60_000)).isEqualTo(expected);
        file.close();
    }

    @Test
    void read_atAndPastTheEnd_saysEndOfFile() throws Exception {
        make("f", pattern(1, 1000));
        ServerFile file = server.open(() -> path("f"), Access.READ).file();
        assertThat(endOf(file, 1000)).isEqualTo(new Termination.EndOfFile(0));
        assertThat(endOf(file, 999_999)).isEqualTo(new Termination.EndOfFile(0));
        assertThat(transfers.get(file, 900, 500))
                .isEqualTo(Arrays.copyOfRange(pattern(1, 1000), 900, 1000));
        assertThat(file.isReadable()).isTrue();
        assertThat(file.isWritable()).isFalse();
        file.close();
    }

    @Test
    void open_forWritingOnly_writesAndDoesNotRead() throws Exception {
        make("f", pattern(1, 1000));
        ServerFile file = server.open(() -> path("f"), Access.WRITE).file();
        assertThat(file.isWritable()).isTrue();
        assertThat(file.isReadable()).isFalse();
        transfers.write(file, 10, pattern(2, 20));
        assertThat(endOf(file, 0)).isInstanceOf(Termination.Failed.class);
        file.close();
        byte[] expected = pattern(1, 1000);
        System.arraycopy(pattern(2, 20), 0, expected, 10, 20);
        assertThat(contents(path("f"))).isEqualTo(expected);
    }

    private Termination endOf(ServerFile file, long position) throws FsException {
        return transfers
                .piece(
                        file.reads(),
                        Subrequest.Direction.READ,
                        position,
                        Transfers.segments(new byte[100]))
                .termination();
    }

    @Test
    void issue_manyAtOnce_eachEndsOnce() throws Exception {
        int count = 300;
        int bytes = 10_000;
        byte[] expected = pattern(5, count * bytes);
        ServerFile file = server.create(() -> path("f"), 0644).file();
        WriteSession session = file.begin(null);
        List<Completion<Termination>> ends = new ArrayList<>();
        List<AtomicReference<Termination>> twice = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            byte[] part = Arrays.copyOfRange(expected, i * bytes, (i + 1) * bytes);
            issueAll(session, (long) i * bytes, part, ends, twice);
        }
        for (Completion<Termination> end : ends) {
            await(end);
        }
        transfers.commit(session);
        assertThat(twice).allSatisfy(t -> assertThat(t.get()).isNull());
        assertThat(transfers.get(file, 0, expected.length)).isEqualTo(expected);
        file.close();
    }

    /** Issues a part in as many pieces as the back end makes of it, waiting only for room. */
    private void issueAll(
            WriteSession session,
            long position,
            byte[] part,
            List<Completion<Termination>> ends,
            List<AtomicReference<Termination>> twice)
            throws FsException {
        for (int at = 0; at < part.length; ) {
            Completion<Termination> end = new Completion<>();
            AtomicReference<Termination> second = new AtomicReference<>();
            Subrequest piece =
                    new Subrequest(
                            0,
                            0,
                            Subrequest.Direction.WRITE,
                            position + at,
                            Transfers.segments(Arrays.copyOfRange(part, at, part.length)),
                            (s, t) -> {
                                if (!end.complete(t)) {
                                    second.set(t);
                                }
                            });
            Completion<Boolean> ready = new Completion<>();
            if (!session.issue(piece, () -> assertThat(ready.complete(true)).isTrue())) {
                await(ready);
                continue;
            }
            at += (int) piece.length();
            ends.add(end);
            twice.add(second);
        }
    }

    private <T> T await(Completion<T> completion) throws FsException {
        return awaiting().await(completion);
    }

    @Test
    void commit_tellsTheVersionThatStands() throws Exception {
        ServerFile file = server.create(() -> path("f"), 0644).file();
        ServerAttributes after = transfers.write(file, 0, pattern(1, 5000));
        assertThat(after.sizeBytes()).isEqualTo(5000);
        assertThat(server.stat(path("f")).token()).isEqualTo(after.token());
        file.close();
        OpenedFile again = server.open(() -> path("f"), Access.READ);
        assertThat(again.attributes().token()).isEqualTo(after.token());
        again.file().close();
    }

    @Test
    void commit_withTimes_setsThem() throws Exception {
        ServerFile file = server.create(() -> path("f"), 0644).file();
        WriteSession session = file.begin(null);
        transfers.put(session, 0, pattern(1, 100));
        Instant when = Instant.ofEpochSecond(1_400_000_000L);
        Completion<ServerAttributes> done = new Completion<>();
        session.commit(AttributeChange.times(null, when), done);
        assertThat(await(done).modified()).isEqualTo(when);
        assertThat(server.stat(path("f")).modified()).isEqualTo(when);
        file.close();
    }

    @Test
    void commit_withoutPieces_completes() throws Exception {
        ServerFile file = server.create(() -> path("f"), 0644).file();
        assertThat(transfers.commit(file.begin(null)).sizeBytes()).isZero();
        file.begin(null).abort();
        file.close();
    }

    @Test
    void sync_afterCommit_completes() throws Exception {
        ServerFile file = server.create(() -> path("f"), 0644).file();
        transfers.write(file, 0, pattern(1, 5000));
        transfers.sync(file);
        file.close();
    }

    @Test
    void attributes_byHandle_areThoseOfTheFile() throws Exception {
        ServerFile file = server.create(() -> path("f"), 0644).file();
        transfers.write(file, 0, pattern(1, 5000));
        assertThat(file.attributes().sizeBytes()).isEqualTo(5000);
        assertThat(file.setAttributes(AttributeChange.size(100)).sizeBytes()).isEqualTo(100);
        assertThat(file.setAttributes(AttributeChange.size(200)).sizeBytes()).isEqualTo(200);
        Instant when = Instant.ofEpochSecond(1_300_000_000L);
        assertThat(file.setAttributes(AttributeChange.times(when, when)).modified())
                .isEqualTo(when);
        byte[] expected = Arrays.copyOf(Arrays.copyOf(pattern(1, 5000), 100), 200);
        assertThat(transfers.get(file, 0, 1000)).isEqualTo(expected);
        file.close();
    }

    @Test
    void openFile_renamed_staysUsableOverReconnects() throws Exception {
        AtomicReference<RemotePath> where = new AtomicReference<>(path("f"));
        ServerFile file = server.create(where::get, 0644).file();
        transfers.write(file, 0, pattern(1, 5000));
        server.makeDirectory(path("d"), 0755);
        server.rename(path("f"), path("d", "g"), RenameMode.REPLACE);
        where.set(path("d", "g"));
        disconnect();
        transfers.write(file, 5000, pattern(2, 5000));
        assertThat(file.attributes().sizeBytes()).isEqualTo(10_000);
        file.close();
        byte[] both = contents(path("d", "g"));
        assertThat(Arrays.copyOf(both, 5000)).isEqualTo(pattern(1, 5000));
        assertThat(Arrays.copyOfRange(both, 5000, 10_000)).isEqualTo(pattern(2, 5000));
    }

    @Test
    void openFile_replacedByRename_staysItself() throws Exception {
        AtomicReference<RemotePath> where = new AtomicReference<>(path("a"));
        ServerFile file = server.create(where::get, 0644).file();
        transfers.write(file, 0, pattern(1, 100));
        server.rename(path("a"), path("b"), RenameMode.REPLACE);
        where.set(path("b"));
        make("a", pattern(2, 100));
        transfers.write(file, 100, pattern(3, 100));
        assertThat(contents(path("a"))).isEqualTo(pattern(2, 100));
        assertThat(contents(path("b"))).hasSize(200);
        file.close();
    }

    @Test
    void openFile_unlinked_staysReadable() throws Exception {
        if (!server.capabilities().has(Capability.UNLINKED_OPEN_FILES)) {
            return; // The vfs keeps such files under a hidden name; nothing is promised here.
        }
        AtomicReference<RemotePath> where = new AtomicReference<>(path("f"));
        ServerFile file =
                server.create(
                                () -> {
                                    if (where.get() == null) {
                                        throw new FsException(FsError.ESTALE);
                                    }
                                    return where.get();
                                },
                                0644)
                        .file();
        transfers.write(file, 0, pattern(1, 5000));
        server.remove(path("f"));
        where.set(null);
        assertFails(FsError.ENOENT, () -> server.stat(path("f")));
        assertThat(transfers.get(file, 0, 6000)).isEqualTo(pattern(1, 5000));
        transfers.write(file, 5000, pattern(2, 10));
        assertThat(file.attributes().sizeBytes()).isEqualTo(5010);
        assertThat(file.setAttributes(AttributeChange.size(7)).sizeBytes()).isEqualTo(7);
        file.close();
    }

    @Test
    void copyRange_copiesOrIsRefused() throws Exception {
        make("a", pattern(1, 100_000));
        ServerFile from = server.open(() -> path("a"), Access.READ).file();
        ServerFile to = server.create(() -> path("b"), 0644).file();
        if (!server.capabilities().has(Capability.SERVER_COPY)) {
            assertFails(FsError.ENOTSUP, () -> to.copyRange(from, 0, 0, 10));
        } else {
            assertThat(to.copyRange(from, 10, 20, 50_000)).isEqualTo(50_000);
            assertThat(to.copyRange(from, 99_990, 50_020, 50_000)).isEqualTo(10);
            byte[] expected = new byte[50_030];
            System.arraycopy(pattern(1, 100_000), 10, expected, 20, 50_000);
            System.arraycopy(pattern(1, 100_000), 99_990, expected, 50_020, 10);
            assertThat(contents(path("b"))).isEqualTo(expected);
        }
        from.close();
        to.close();
    }

    @Test
    void write_afterDisconnect_goesOn() throws Exception {
        ServerFile file = server.create(() -> path("f"), 0644).file();
        WriteSession session = file.begin(null);
        transfers.put(session, 0, pattern(1, 50_000));
        disconnect();
        transfers.put(session, 50_000, pattern(2, 50_000));
        disconnect();
        try {
            transfers.commit(session);
        } catch (FsException lost) {
            assertThat(lost.error()).isEqualTo(FsError.ENOTCONN);
            transfers.commit(file.begin(null));
        }
        disconnect();
        transfers.sync(file);
        assertThat(transfers.get(file, 50_000, 50_000)).isEqualTo(pattern(2, 50_000));
        file.close();
    }

    @Test
    void close_ofServer_endsWhatFollows() throws Exception {
        ServerFile file = server.create(() -> path("f"), 0644).file();
        server.close();
        assertFails(FsError.ENOTCONN, () -> server.stat(RemotePath.ROOT));
        Transfers.Ended ended =
                transfers.piece(
                        file.begin(null),
                        Subrequest.Direction.WRITE,
                        0,
                        Transfers.segments(new byte[10]));
        assertThat(ended.termination()).isInstanceOf(Termination.Failed.class);
    }
}
