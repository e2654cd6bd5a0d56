// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netfs4j.request.Subrequest;
import io.netfs4j.testing.Transfers;

import org.junit.jupiter.api.Test;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

class ReplyReaderTest {
    private final Map<Integer, Call> calls = new HashMap<>();
    private final List<ReplyReader.Ended> ended = new ArrayList<>();
    private final ReplyReader reader =
            new ReplyReader(
                    new ReplyReader.Calls() {
                        @Override
                        public Call outstanding(int id) {
                            return calls.get(id);
                        }

                        @Override
                        public void ended(int id) {
                            calls.remove(id);
                        }
                    });

    private static final Call.Outcome NOBODY =
            new Call.Outcome() {
                @Override
                public void replied(Reply reply) {}

                @Override
                public void lost(Loss loss) {}
            };

    private void outstanding(int id, int replyType) {
        Call call = Call.of(new PacketWriter(Protocol.OPEN), replyType, NOBODY);
        call.setSent();
        calls.put(id, call);
    }

    private byte[] outstandingRead(int id, int count) {
        byte[] target = new byte[count];
        Subrequest piece =
                new Subrequest(
                        0,
                        0,
                        Subrequest.Direction.READ,
                        0,
                        Transfers.segments(target),
                        (s, t) -> {});
        piece.take(count);
        Call call = Call.read(new PacketWriter(Protocol.READ), piece, NOBODY);
        call.setSent();
        calls.put(id, call);
        return target;
    }

    private static byte[] packet(int type, int id, byte[] body) {
        return ByteBuffer.allocate(9 + body.length)
                .putInt(5 + body.length)
                .put((byte) type)
                .putInt(id)
                .put(body)
                .array();
    }

    private static byte[] string(byte[] text) {
        return ByteBuffer.allocate(4 + text.length).putInt(text.length).put(text).array();
    }

    private void read(byte[] bytes) throws ProtocolViolation {
        reader.read(bytes, 0, bytes.length, ended);
    }

    private void assertViolation(byte[] bytes) {
        assertThatThrownBy(() -> read(bytes)).isInstanceOf(ProtocolViolation.class);
        assertThat(ended).isEmpty();
    }

    @Test
    void read_anyCuts_giveTheSameReplies() throws Exception {
        byte[] data = new byte[5000];
        new Random(1).nextBytes(data);
        ByteArrayOutputStream stream = new ByteArrayOutputStream();
        stream.writeBytes(packet(Protocol.STATUS, 1, new byte[] {0, 0, 0, 4}));
        stream.writeBytes(packet(Protocol.DATA, 2, string(data)));
        stream.writeBytes(packet(Protocol.HANDLE, 3, string(new byte[] {9})));
        stream.writeBytes(packet(Protocol.EXTENDED_REPLY, 4, new byte[0]));
        byte[] all = stream.toByteArray();
        for (int cut : new int[] {1, 2, 3, 7, 64, 1000, all.length}) {
            ended.clear();
            outstanding(1, Protocol.HANDLE);
            outstandingRead(2, 5000);
            Subrequest piece = calls.get(2).piece();
            outstanding(3, Protocol.HANDLE);
            outstanding(4, Protocol.EXTENDED_REPLY);
            for (int at = 0; at < all.length; at += cut) {
                reader.read(all, at, Math.min(cut, all.length - at), ended);
            }
            assertThat(ended)
                    .extracting(e -> e.reply().type())
                    .containsExactly(
                            Protocol.STATUS,
                            Protocol.DATA,
                            Protocol.HANDLE,
                            Protocol.EXTENDED_REPLY);
            assertThat(ended.get(0).reply().status()).isEqualTo(Protocol.FAILURE);
            assertThat(ended.get(1).reply().dataBytes()).isEqualTo(5000);
            byte[] got = new byte[5000];
            piece.copyOut(0, got, 0, 5000);
            assertThat(got).isEqualTo(data);
            assertThat(calls).isEmpty();
        }
    }

    @Test
    void read_idNobodyWaitsFor_isViolation() {
        assertViolation(packet(Protocol.STATUS, 7, new byte[4]));
    }

    @Test
    void read_replyTwice_isViolation() throws Exception {
        outstanding(1, Protocol.STATUS);
        read(packet(Protocol.STATUS, 1, new byte[4]));
        ended.clear();
        assertViolation(packet(Protocol.STATUS, 1, new byte[4]));
    }

    @Test
    void read_replyBeforeItWasSent_isViolation() {
        calls.put(1, Call.of(new PacketWriter(Protocol.OPEN), Protocol.HANDLE, NOBODY));
        assertViolation(packet(Protocol.STATUS, 1, new byte[4]));
    }

    @Test
    void read_wrongType_isViolation() {
        outstanding(1, Protocol.HANDLE);
        assertViolation(packet(Protocol.ATTRS, 1, new byte[4]));
    }

    @Test
    void read_successWithoutHandle_isViolation() {
        outstanding(1, Protocol.HANDLE);
        assertViolation(packet(Protocol.STATUS, 1, new byte[4]));
    }

    @Test
    void read_lengthsOutOfBounds_areViolations() {
        for (int length : new int[] {-1, 0, 4, Protocol.PACKET_BYTES_MAX + 1, Integer.MIN_VALUE}) {
            ReplyReader fresh = new ReplyReader(new NoCalls());
            byte[] head = ByteBuffer.allocate(9).putInt(length).array();
            assertThatThrownBy(() -> fresh.read(head, 0, 9, ended))
                    .isInstanceOf(ProtocolViolation.class);
        }
    }

    private static final class NoCalls implements ReplyReader.Calls {
        @Override
        public Call outstanding(int id) {
            return null;
        }

        @Override
        public void ended(int id) {}
    }

    @Test
    void read_moreDataThanAsked_isViolation() {
        outstandingRead(1, 100);
        assertViolation(packet(Protocol.DATA, 1, string(new byte[101])));
    }

    @Test
    void read_noData_isViolation() {
        outstandingRead(1, 100);
        assertViolation(packet(Protocol.DATA, 1, string(new byte[0])));
    }

    @Test
    void read_dataLengthThatLies_isViolation() {
        outstandingRead(1, 100);
        byte[] body = ByteBuffer.allocate(14).putInt(50).array();
        assertViolation(packet(Protocol.DATA, 1, body));
    }

    @Test
    void read_lessDataThanAsked_isTold() throws Exception {
        outstandingRead(1, 100);
        read(packet(Protocol.DATA, 1, string(new byte[10])));
        assertThat(ended.get(0).reply().dataBytes()).isEqualTo(10);
    }

    @Test
    void read_randomBytes_neverDoMoreThanViolate() {
        Random random = new Random(42);
        for (int i = 0; i < 2000; i++) {
            calls.clear();
            outstanding(0, Protocol.HANDLE);
            outstandingRead(1, 100);
            ReplyReader fresh =
                    new ReplyReader(
                            new ReplyReader.Calls() {
                                @Override
                                public Call outstanding(int id) {
                                    return calls.get(id);
                                }

                                @Override
                                public void ended(int id) {
                                    calls.remove(id);
                                }
                            });
            byte[] bytes = new byte[random.nextInt(60)];
            random.nextBytes(bytes);
            if (bytes.length > 9 && random.nextBoolean()) {
                ByteBuffer.wrap(bytes)
                        .putInt(5 + random.nextInt(60))
                        .put((byte) (101 + random.nextInt(4)))
                        .putInt(random.nextInt(2));
            }
            try {
                fresh.read(bytes, 0, bytes.length, ended);
            } catch (ProtocolViolation e) {
                assertThat(e).hasMessageNotContaining("null");
            }
        }
    }
}
