// SPDX-License-Identifier: Apache-2.0
package io.netfs4j.sftp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netfs4j.server.AttributeChange;
import io.netfs4j.server.FileType;
import io.netfs4j.server.ServerAttributes;

import org.junit.jupiter.api.Test;

import java.time.Instant;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;

class PacketTest {
    private static byte[] body(PacketWriter writer) {
        byte[] packet = writer.finish(0);
        return Arrays.copyOfRange(packet, Protocol.HEAD_BYTES, packet.length);
    }

    private static PacketReader reader(PacketWriter writer) {
        return new PacketReader(body(writer));
    }

    private static PacketWriter packet() {
        return new PacketWriter(Protocol.OPEN);
    }

    @Test
    void finish_countsWhatFollows() {
        byte[] packet = packet().u32(7).finish(100);
        assertThat(HexFormat.of().formatHex(packet))
                .isEqualTo("0000006d" + "03" + "00000000" + "00000007");
    }

    @Test
    void reader_givesBackWhatWriterWrote() throws Exception {
        byte[] text = new byte[1000];
        Arrays.fill(text, (byte) 'x');
        PacketReader reader =
                reader(packet().u32(-2).u64(1L << 40).string(text).string(new byte[0]));
        assertThat(reader.u32()).isEqualTo(-2);
        assertThat(reader.size()).isEqualTo(1L << 40);
        assertThat(reader.string(1000)).isEqualTo(text);
        assertThat(reader.string(0)).isEmpty();
        assertThat(reader.remaining()).isZero();
    }

    @Test
    void reader_lengthsThatLie_areRefused() {
        assertThatThrownBy(() -> reader(packet().u32(-1)).string(10))
                .isInstanceOf(ProtocolViolation.class);
        assertThatThrownBy(() -> reader(packet().u32(5).u32(0)).string(10))
                .isInstanceOf(ProtocolViolation.class);
        assertThatThrownBy(() -> reader(packet().string(new byte[11])).string(10))
                .isInstanceOf(ProtocolViolation.class);
        assertThatThrownBy(() -> reader(packet().u32(Integer.MAX_VALUE)).skipString())
                .isInstanceOf(ProtocolViolation.class);
        assertThatThrownBy(() -> reader(packet().u32(1)).u64())
                .isInstanceOf(ProtocolViolation.class);
        assertThatThrownBy(() -> reader(packet().u64(-1)).size())
                .isInstanceOf(ProtocolViolation.class);
    }

    @Test
    void attributes_full_comeBack() throws Exception {
        WireAttributes sent = new WireAttributes(5L, 1, 2, 0100640, 10L, 0xFFFFFFFEL);
        WireAttributes read = WireAttributes.read(reader(packet().attributes(sent)));
        assertThat(read).isEqualTo(sent);
        ServerAttributes server = read.toServer();
        assertThat(server.type()).isEqualTo(FileType.REGULAR);
        assertThat(server.mode()).isEqualTo(0640);
        assertThat(server.modified()).isEqualTo(Instant.ofEpochSecond(0xFFFFFFFEL));
    }

    @Test
    void attributes_withExtensions_skipThem() throws Exception {
        PacketWriter writer =
                packet().u32(Protocol.ATTR_PERMISSIONS | Protocol.ATTR_EXTENDED)
                        .u32(0040755)
                        .u32(1)
                        .string(new byte[] {'a'})
                        .string(new byte[] {'b'})
                        .u32(42);
        PacketReader reader = reader(writer);
        assertThat(WireAttributes.read(reader).toServer().type()).isEqualTo(FileType.DIRECTORY);
        assertThat(reader.u32()).isEqualTo(42);
        assertThatThrownBy(() ->
                        WireAttributes.read(
                                reader(packet().u32(Protocol.ATTR_EXTENDED).u32(1 << 30))))
                .isInstanceOf(ProtocolViolation.class);
    }

    @Test
    void attributes_withoutType_areRefused() {
        assertThatThrownBy(WireAttributes.NONE::toServer).isInstanceOf(ProtocolViolation.class);
    }

    @Test
    void times_outOfRange_areClamped() {
        WireAttributes times =
                WireAttributes.ofTimes(
                        Instant.ofEpochSecond(-5), Instant.parse("2200-01-01T00:00:00Z"));
        assertThat(times.accessedSeconds()).isZero();
        assertThat(times.modifiedSeconds()).isEqualTo(0xFFFFFFFFL);
    }

    @Test
    void steps_keepWhatLaterOnesWouldUndo() throws Exception {
        ServerAttributes known = new WireAttributes(1L, 7, 8, 0100600, 1L, 2L).toServer();
        AttributeChange all =
                new AttributeChange(04755, null, 9, 100L, null, Instant.ofEpochSecond(3));
        List<WireAttributes> steps = AttributeSteps.of(all, known);
        assertThat(steps)
                .containsExactly(
                        new WireAttributes(null, 7, 9, null, null, null),
                        new WireAttributes(100L, null, null, 04755, null, null),
                        new WireAttributes(null, null, null, null, 1L, 3L));
        assertThat(AttributeSteps.needsKnown(all)).isTrue();
        assertThat(AttributeSteps.needsKnown(AttributeChange.size(1))).isFalse();
        assertThat(AttributeSteps.of(AttributeChange.NONE, known)).isEmpty();
    }

    @Test
    void greeting_limits_areBounded() throws Exception {
        Greeting plain =
                Greeting.ofVersion(
                        reader(packet().string(new byte[] {97, 64, 98}).string(new byte[] {49})));
        assertThat(plain.offers("a@b")).isTrue();
        assertThat(plain.writeBytesMax()).isEqualTo(Protocol.DATA_BYTES_UNTOLD);
        Greeting told =
                plain.withLimits(reader(packet().u64(1 << 18).u64(261120).u64(261120).u64(1019)));
        assertThat(told.readBytesMax()).isEqualTo(261120);
        assertThat(told.handlesMax()).isEqualTo(1019);
        Greeting vast = plain.withLimits(reader(packet().u64(-1).u64(-1).u64(-1).u64(-1)));
        assertThat(vast.writeBytesMax()).isEqualTo(Protocol.DATA_BYTES_MAX);
        assertThat(vast.handlesMax()).isZero();
        Greeting silent = plain.withLimits(reader(packet().u64(0).u64(0).u64(0).u64(0)));
        assertThat(silent.writeBytesMax()).isEqualTo(Protocol.DATA_BYTES_UNTOLD);
        assertThatThrownBy(
                        () -> plain.withLimits(reader(packet().u64(1100).u64(100).u64(9).u64(0))))
                .isInstanceOf(ProtocolViolation.class);
    }
}
