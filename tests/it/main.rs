mod recordings_wire;
